import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import { LARGEST_SCORE } from "../../src/entities/tournaments/precision.ts";
import type { Order, ScoreOperator } from "../../src/entities/tournaments/Tournament.ts";
import {
  type BoardKey,
  type BoardPage,
  type BoardRules,
  type Leaderboard,
  REMEMBERED,
  type ScoreEntry,
  type Submission,
  type SubmitDecision,
} from "../../src/stores/tournaments/Leaderboard.ts";
import { LARGEST_SUBSCORE } from "../../src/stores/tournaments/scoring.ts";
import { freshBoard, LEADERBOARDS, type OpenLeaderboard } from "./leaderboards.ts";

const NOW = 1_700_000_000_000;
const MINUTE = 60_000;

for (const { name, open } of LEADERBOARDS) {
  describe(name, () => {
    let opened: OpenLeaderboard;
    let leaderboard: Leaderboard;
    let board: BoardKey;
    let submissions = 0;

    before(async () => {
      opened = await open();
      leaderboard = opened.leaderboard;
    });
    after(() => opened.close());
    afterEach(() => leaderboard.drop(board));

    async function begin(rules: Partial<BoardRules> = {}): Promise<void> {
      board = freshBoard(rules);
      assert.equal(await leaderboard.load(board, { epoch: 1, submissions: 0, players: [] }), true);
    }

    const submit = (playerId: string, score: number, more: Partial<Submission> = {}): Promise<SubmitDecision> => {
      submissions += 1;
      return leaderboard.submit(board, {
        ...{ playerId, playerName: playerId.toUpperCase(), submissionId: `s${submissions}`, score, subscore: 0 },
        ...{ now: NOW, isNew: true },
        ...more,
      });
    };

    async function accept(playerId: string, score: number, more: Partial<Submission> = {}): Promise<ScoreEntry> {
      const decision = await submit(playerId, score, more);
      assert.ok(decision.kind === "accepted", JSON.stringify(decision));
      return decision.entry;
    }

    async function all(): Promise<BoardPage> {
      const page = await leaderboard.page(board, 0, 1000);
      assert.ok(page);
      return page;
    }

    /** `player score` of each row, best first. */
    async function standings(): Promise<string[]> {
      return (await all()).rows.map(({ playerId, score }) => `${playerId} ${score}`);
    }

    it("is missing until it is loaded, and again once dropped or lost", async () => {
      board = freshBoard();
      const isMissing = async (): Promise<void> => {
        assert.deepEqual(await submit("ann", 1), { kind: "missing" });
        assert.equal(await leaderboard.page(board, 0, 10), undefined);
        assert.equal(await leaderboard.around(board, "ann", 3), undefined);
      };
      await isMissing();
      await leaderboard.load(board, { epoch: 1, submissions: 0, players: [] });
      assert.deepEqual(await all(), { epoch: 1, version: 0, seq: 0, total: 0, rows: [] });
      await leaderboard.drop(board);
      await isMissing();
      await leaderboard.load(board, { epoch: 1, submissions: 0, players: [] });
      await accept("ann", 1);
      await opened.wipe(board);
      await isMissing();
    });

    it("answers with the entry as it is to be stored, and the one before it", async () => {
      await begin();
      await submit("bob", 50);
      const first = await submit("ann", 30, { subscore: 7, submissionId: "first", playerName: "Änn 🎪" });
      const entry = {
        ...{ playerId: "ann", playerName: "Änn 🎪", submissionId: "first", entryNo: 1, score: 30, subscore: 7 },
        ...{ best: 30, bestSubscore: 7, seq: 2, reachedSeq: 2, toldRank: 2 },
      };
      assert.deepEqual(first, { kind: "accepted", epoch: 1, entry, isRepeated: false });
      const second = await submit("ann", 20, { submissionId: "second" });
      const worse = { playerName: "ANN", submissionId: "second", entryNo: 2, score: 20, subscore: 0, seq: 3 };
      assert.deepEqual(second, {
        ...{ kind: "accepted", epoch: 1, entry: { ...entry, ...worse }, previous: entry, isRepeated: false },
      });
      const { rows, ...page } = await all();
      assert.deepEqual(page, { epoch: 1, version: 3, seq: 3, total: 2 });
      assert.deepEqual(rows[1], { rank: 2, playerId: "ann", name: "ANN", score: 30, subscore: 7, entries: 2 });
    });

    const RESULTS: Record<ScoreOperator, Record<Order, number[]>> = {
      best: { desc: [5, 5, 8], asc: [5, 3, 3] },
      last: { desc: [5, 3, 8], asc: [5, 3, 8] },
      sum: { desc: [5, 8, 16], asc: [5, 8, 16] },
      increment: { desc: [5, 8, 16], asc: [5, 8, 16] },
    };
    for (const operator of ["best", "last", "sum", "increment"] as const) {
      for (const order of ["desc", "asc"] as const) {
        it(`counts the ${operator} of a player's entries, ${order}`, async () => {
          await begin({ operator, order });
          await accept("low", 4);
          await accept("high", 7);
          const entries = [];
          for (const score of [5, 3, 8]) entries.push(await accept("ann", score, { subscore: score * 10 }));
          const expected = RESULTS[operator][order];
          assert.deepEqual(
            entries.map(({ best, bestSubscore }) => [best, bestSubscore]),
            expected.map((best) => [best, best * 10]),
          );
          const others = order === "desc" ? [7, 4] : [4, 7];
          const better = (score: number, other: number): boolean => (order === "desc" ? other > score : other < score);
          assert.deepEqual(
            entries.map(({ toldRank }) => toldRank),
            expected.map((score) => 1 + others.filter((other) => better(score, other)).length),
          );
          assert.equal((await all()).rows.find(({ playerId }) => playerId === "ann")?.score, expected[2]);
        });
      }
    }

    it("ranks equal scores by subscore, and equal ones of those by who came first", async () => {
      for (const order of ["desc", "asc"] as const) {
        await begin({ order });
        for (const [player, subscore] of [
          ["zed", 1],
          ["ann", 1],
          ["mid", -3],
          ["top", 9],
          ["one", 1],
        ] as const) {
          await accept(player, 10, { subscore });
        }
        const players = (await all()).rows.map(({ playerId }) => playerId);
        const expected = order === "desc" ? ["top", "zed", "ann", "one", "mid"] : ["mid", "zed", "ann", "one", "top"];
        assert.deepEqual(players, expected);
        await leaderboard.drop(board);
      }
    });

    it("keeps a player's place among equals when an entry changes nothing, and moves it back when it was left and reached again", async () => {
      await begin({ operator: "last" });
      for (const player of ["ann", "bob", "ann"]) await accept(player, 10);
      assert.deepEqual(await standings(), ["ann 10", "bob 10"]);
      const [, , again] = [await accept("ann", 9), await accept("ann", 11), await accept("ann", 10)];
      assert.equal(again?.reachedSeq, again?.seq);
      assert.deepEqual(await standings(), ["bob 10", "ann 10"]);
    });

    it("sorts and adds whole numbers exactly, up to the largest", async () => {
      const scores = [
        ...[LARGEST_SCORE, LARGEST_SCORE - 1, -LARGEST_SCORE, 1 - LARGEST_SCORE, 2 ** 49 + 1, 2 ** 49, 0, 1, -1],
        ...[123_456_789_012_345, 123_456_789_012_346, -7, 2 ** 31, 2 ** 32 + 1, -(2 ** 31), -(2 ** 33) - 1],
      ];
      for (const order of ["desc", "asc"] as const) {
        await begin({ order });
        for (const [index, score] of scores.entries()) assert.equal((await accept(`p${index}`, score)).best, score);
        const sorted = scores.toSorted((a, b) => (order === "desc" ? b - a : a - b));
        assert.deepEqual(
          (await all()).rows.map(({ score }) => score),
          sorted,
        );
        await leaderboard.drop(board);
      }
      await begin({ operator: "sum" });
      assert.equal((await accept("ann", LARGEST_SCORE - 1)).best, LARGEST_SCORE - 1);
      assert.equal((await accept("ann", 1)).best, LARGEST_SCORE);
      assert.equal((await accept("ann", 3 - LARGEST_SCORE)).best, 3);
      assert.equal((await accept("ann", -3)).best, 0);
    });

    it("takes -0 for 0", async () => {
      await begin({ operator: "last" });
      await accept("ann", 0);
      const entry = await accept("bob", -0, { subscore: -0 });
      for (const number of [entry.score, entry.best, entry.subscore, entry.bestSubscore])
        assert.ok(Object.is(number, 0));
      const { rows } = await all();
      assert.ok(rows.every(({ score, subscore }) => Object.is(score, 0) && Object.is(subscore, 0)));
      assert.deepEqual(await standings(), ["ann 0", "bob 0"]);
    });

    it("sorts subscores exactly, also sums of as many of the largest as there may be entries", async () => {
      const most = LARGEST_SUBSCORE * 4_999_999;
      const entryOf = (playerId: string, bestSubscore: number, seq: number): ScoreEntry => ({
        ...{ playerId, playerName: playerId, submissionId: "x", entryNo: 1, score: 1, subscore: 0, best: 1 },
        ...{ bestSubscore, seq, reachedSeq: seq, toldRank: 1 },
      });
      for (const order of ["desc", "asc"] as const) {
        board = freshBoard({ operator: "sum", order });
        const latest = [most, most - 1, -most, 0, 1 - most].map((best, index) => entryOf(`p${index}`, best, index + 1));
        const players = latest.map((entry) => ({ latest: entry, remembered: [entry] }));
        await leaderboard.load(board, { epoch: 1, submissions: 5, players });
        assert.equal((await accept("p1", 0, { subscore: LARGEST_SUBSCORE })).bestSubscore, most + LARGEST_SUBSCORE - 1);
        const ids = ["p1", "p0", "p3", "p4", "p2"];
        assert.deepEqual(
          (await all()).rows.map(({ playerId }) => playerId),
          order === "desc" ? ids : ids.toReversed(),
        );
        await leaderboard.drop(board);
      }
    });

    it("answers a repeated submission as the first time, whatever it says now, and counts it once", async () => {
      await begin({ operator: "sum", maxEntries: 2, maxSubmissions: 2, submissionsPerMinute: 2, maxScore: 10 });
      const first = await submit("ann", 4, { submissionId: "one" });
      const second = await submit("ann", 5, { submissionId: "two" });
      for (const isNew of [undefined, true]) {
        const changed = { isNew, playerName: "other", subscore: 3 };
        assert.deepEqual(await submit("ann", 99, { submissionId: "one", ...changed }), { ...first, isRepeated: true });
        assert.deepEqual(await submit("ann", 9, { submissionId: "two", ...changed }), { ...second, isRepeated: true });
      }
      const { version, rows } = await all();
      assert.deepEqual([version, rows[0]?.score, rows[0]?.entries, rows[0]?.name], [2, 9, 2, "ANN"]);
    });

    it("takes the same id of another player, and another id of the same player, for another submission", async () => {
      await begin();
      for (const player of ["ann", "bob"]) assert.equal((await accept(player, 1, { submissionId: "same" })).entryNo, 1);
      for (const submissionId of ["Same", "same1", "sam", "__proto__", "~", "x".repeat(64)]) {
        assert.equal((await submit("ann", 1, { submissionId })).kind, "accepted");
      }
      assert.equal((await all()).version, 8);
    });

    it("tells submissions apart whose ids have the same checksum", async () => {
      await begin();
      const [one, other] = ["plumless", "buckeroo"];
      assert.equal(crc32(one), crc32(other));
      assert.equal((await accept("ann", 1, { submissionId: one })).entryNo, 1);
      assert.equal((await accept("ann", 2, { submissionId: other })).entryNo, 2);
      const repeated = [await submit("ann", 3, { submissionId: one }), await submit("ann", 3, { submissionId: other })];
      assert.deepEqual(
        repeated.map((decision) => decision.kind === "accepted" && decision.isRepeated && decision.entry.score),
        [1, 2],
      );
    });

    it("answers with the name under which each of the remembered entries was made", async () => {
      await begin();
      const names = ["", "", "é".repeat(64), "Ann", "Ann", "", "Ann", "🎪", "🎪", "last"];
      const entries: ScoreEntry[] = [];
      for (const [n, playerName] of names.entries()) {
        const decision = await submit("ann", n, { submissionId: `id${n}`, playerName });
        assert.ok(decision.kind === "accepted");
        assert.deepEqual([decision.entry.playerName, decision.previous], [playerName, entries.at(-1)]);
        entries.push(decision.entry);
      }
      for (const [n, entry] of entries.entries()) {
        if (n < names.length - REMEMBERED) continue;
        const decision = await submit("ann", 0, { submissionId: `id${n}`, playerName: "other" });
        const previous = n === names.length - REMEMBERED ? undefined : entries[n - 1];
        assert.ok(decision.kind === "accepted" && decision.isRepeated);
        assert.deepEqual([decision.entry, decision.previous], [entry, previous]);
      }
    });

    it("does not take a part of a name for a submission", async () => {
      await begin();
      const playerName = "a\nodd\nb\n";
      await accept("ann", 1, { playerName });
      assert.equal((await accept("ann", 2, { playerName, submissionId: "odd" })).entryNo, 2);
    });

    it("decides on a submission that comes many times at once only once", async () => {
      await begin();
      const decisions = await Promise.all(
        Array.from({ length: 600 }, () => submit("ann", 7, { submissionId: "same" })),
      );
      assert.deepEqual(
        new Set(decisions.map((decision) => (decision.kind === "accepted" ? decision.entry.seq : decision.kind))),
        new Set([1]),
      );
      assert.equal(decisions.filter((decision) => decision.kind === "accepted" && !decision.isRepeated).length, 1);
    });

    it("is unsure of an unknown id once a player has made more than it remembers, until it is told that it is new", async () => {
      await begin({ submissionsPerMinute: 12, maxScore: 100 });
      for (let n = 1; n <= REMEMBERED; n += 1) {
        const decision = await submit("ann", n, { submissionId: `id${n}`, isNew: undefined });
        assert.equal(decision.kind, "accepted");
      }
      assert.equal((await submit("ann", 9, { submissionId: "id9", isNew: undefined })).kind, "accepted");
      const repeated = await submit("ann", 2, { submissionId: "id2", isNew: undefined });
      assert.ok(repeated.kind === "accepted" && repeated.entry.entryNo === 2 && repeated.previous === undefined);
      for (const score of [1, 101]) {
        assert.deepEqual(await submit("ann", score, { submissionId: "id1", isNew: undefined }), { kind: "unsure" });
      }
      assert.equal((await submit("bob", 1, { submissionId: "id1", isNew: undefined })).kind, "accepted");
      assert.equal((await accept("ann", 1, { submissionId: "id10", isNew: true })).entryNo, 10);
      assert.equal((await all()).version, 11);
    });

    it("refuses what is out of bounds, and counts it for nothing", async () => {
      await begin({ minScore: -5, maxScore: 10, submissionsPerMinute: 2 });
      for (const score of [-6, 11, LARGEST_SCORE, -LARGEST_SCORE]) {
        assert.deepEqual(await submit("ann", score), { kind: "outOfBounds" });
      }
      assert.deepEqual(await all(), { epoch: 1, version: 0, seq: 0, total: 0, rows: [] });
      assert.equal((await accept("ann", -5)).entryNo, 1);
      assert.deepEqual(await submit("ann", 11), { kind: "outOfBounds" });
      assert.equal((await accept("ann", 10)).entryNo, 2);
    });

    it("bounds each entry of a sum, but of an increment what comes of it", async () => {
      await begin({ operator: "sum", minScore: 0, maxScore: 10 });
      for (const score of [10, 10]) await accept("ann", score);
      assert.deepEqual(await submit("ann", -1), { kind: "outOfBounds" });
      assert.deepEqual(await standings(), ["ann 20"]);
      await leaderboard.drop(board);

      await begin({ operator: "increment", minScore: 0, maxScore: 10 });
      assert.deepEqual(await submit("ann", 11), { kind: "outOfBounds" });
      for (const step of [9, -4]) await accept("ann", step);
      for (const step of [-6, 6]) assert.deepEqual(await submit("ann", step), { kind: "outOfBounds" });
      for (const step of [5, -10]) await accept("ann", step);
      assert.deepEqual(await standings(), ["ann 0"]);
    });

    it("refuses an entry that would make a sum too large to stay exact", async () => {
      await begin({ operator: "sum" });
      await accept("ann", LARGEST_SCORE);
      for (const more of [1, LARGEST_SCORE]) assert.deepEqual(await submit("ann", more), { kind: "outOfBounds" });
      await accept("bob", -LARGEST_SCORE);
      for (const less of [-1, -LARGEST_SCORE]) assert.deepEqual(await submit("bob", less), { kind: "outOfBounds" });
      assert.equal((await accept("ann", -LARGEST_SCORE)).best, 0);
    });

    it("takes as many entries of a player, and of all, as there may be", async () => {
      await begin({ maxEntries: 2, maxSubmissions: 3, maxScore: 100 });
      for (const score of [1, 2]) await accept("ann", score);
      assert.deepEqual(await submit("ann", 3), { kind: "full", of: "player" });
      await accept("bob", 1);
      assert.deepEqual(await submit("bob", 2), { kind: "full", of: "tournament" });
      assert.deepEqual(await submit("cy", 2), { kind: "full", of: "tournament" });
      assert.deepEqual(await submit("ann", 3), { kind: "full", of: "player" });
      assert.deepEqual(await submit("ann", 101), { kind: "outOfBounds" });
      assert.deepEqual([(await all()).version, (await all()).total], [3, 2]);
    });

    it("takes as many entries of a player in a minute as there may be, and says when the next may come", async () => {
      await begin({ submissionsPerMinute: 2 });
      await accept("ann", 1, { now: NOW });
      await accept("ann", 2, { now: NOW + 10_000 });
      assert.deepEqual(await submit("ann", 3, { now: NOW + 20_000 }), { kind: "tooFast", retryAfterMs: 40_000 });
      assert.deepEqual(await submit("ann", 3, { now: NOW + MINUTE - 1 }), { kind: "tooFast", retryAfterMs: 1 });
      await accept("bob", 3, { now: NOW + 20_000 });
      for (const score of [3, 4]) await accept("ann", score, { now: NOW + MINUTE });
      assert.deepEqual(await submit("ann", 5, { now: NOW + MINUTE }), { kind: "tooFast", retryAfterMs: MINUTE });
      assert.equal((await all()).version, 5);
    });

    it("locks nobody out by a clock that jumps", async () => {
      await begin({ submissionsPerMinute: 1 });
      const hour = 60 * MINUTE;
      await accept("ann", 1, { now: NOW + hour });
      await accept("ann", 2, { now: NOW });
      assert.deepEqual(await submit("ann", 3, { now: NOW + 1 }), { kind: "tooFast", retryAfterMs: MINUTE - 1 });
      await accept("ann", 3, { now: NOW + MINUTE });
    });

    it("shows any part of the standings", async () => {
      await begin();
      await Promise.all(Array.from({ length: 1200 }, (_, n) => accept(`p${n}`, n)));
      const ranks = async (offset: number, limit: number): Promise<(number | string)[]> => {
        const page = await leaderboard.page(board, offset, limit);
        assert.deepEqual([page?.total, page?.version], [1200, 1200]);
        return page!.rows.flatMap(({ rank, playerId }) => [rank, playerId]);
      };
      assert.deepEqual(await ranks(0, 2), [1, "p1199", 2, "p1198"]);
      assert.deepEqual(await ranks(600, 1), [601, "p599"]);
      assert.deepEqual(await ranks(1198, 5), [1199, "p1", 1200, "p0"]);
      for (const [offset, limit] of [
        [1200, 5],
        [99_999, 5],
        [3, 0],
      ] as const)
        assert.deepEqual(await ranks(offset, limit), []);
      assert.equal((await ranks(0, 5000)).length, 2400);
    });

    it("shows a player in the middle of others, at the edges with as many rows", async () => {
      await begin();
      for (let n = 1; n <= 9; n += 1) await accept(`p${n}`, -n);
      const around = async (playerId: string, limit: number): Promise<number[]> => {
        const page = await leaderboard.around(board, playerId, limit);
        assert.equal(page?.total, 9);
        return page!.rows.map(({ rank }) => rank);
      };
      assert.deepEqual(await around("p5", 3), [4, 5, 6]);
      assert.deepEqual(await around("p5", 4), [3, 4, 5, 6]);
      assert.deepEqual(await around("p5", 1), [5]);
      assert.deepEqual(await around("p5", 0), []);
      assert.deepEqual(await around("p1", 5), [1, 2, 3, 4, 5]);
      assert.deepEqual(await around("p9", 5), [5, 6, 7, 8, 9]);
      assert.deepEqual(await around("p8", 100), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
      assert.deepEqual(await around("nobody", 5), []);
    });

    it("tells everybody their own rank when many submit at once", async () => {
      await begin();
      const entries = await Promise.all(Array.from({ length: 1500 }, (_, n) => accept(`p${n}`, (n * 7919) % 1500)));
      for (const [index, { toldRank, seq, best }] of entries.entries()) {
        assert.equal(seq, index + 1);
        assert.equal(toldRank, 1 + entries.slice(0, index).filter((other) => other.best > best).length);
      }
      assert.equal((await all()).total, 1500);
    });

    it("refuses what no row could hold, and nobody else beside", async () => {
      await begin();
      const bad: Partial<Submission>[] = [
        ...[
          { playerId: "p".repeat(33) },
          { playerName: "n".repeat(65) },
          { playerName: "\ud83c" },
          { playerId: "\udfaa" },
        ],
        ...["", " ", "a b", "a ", "ä", "x".repeat(65), "a\n", "\0"].map((submissionId) => ({ submissionId })),
        ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map((score) => ({ score })),
        ...[0.5, 1e15 + 1, -1e15 - 1, 2 ** 53].map((score) => ({ score })),
        ...[0.5, Number.NaN, LARGEST_SUBSCORE + 1, -LARGEST_SUBSCORE - 1].map((subscore) => ({ subscore })),
      ];
      const refused = bad.map((more) => assert.rejects(submit("ann", 1, more), { code: "invalid_payload" }));
      const late = [Number.NaN, -1, 0.5].map((now) => assert.rejects(submit("ann", 1, { now }), RangeError));
      assert.equal((await accept("bob", 1, { subscore: LARGEST_SUBSCORE })).toldRank, 1);
      await Promise.all([...refused, ...late]);
      for (const [offset, limit] of [
        [-1, 1],
        [0, -1],
        [0, 0.5],
        [0, Number.NaN],
      ] as const) {
        await assert.rejects(leaderboard.page(board, offset, limit), RangeError);
      }
      await assert.rejects(leaderboard.around(board, "bob", -1), RangeError);
      assert.equal((await all()).total, 1);
    });

    it("answers what it was asked before it closes, and refuses what comes after", async () => {
      const closing = await open();
      board = freshBoard();
      await closing.leaderboard.load(board, { epoch: 1, submissions: 0, players: [] });
      const submission = { playerId: "ann", playerName: "Ann", submissionId: "one", score: 1, subscore: 0, now: NOW };
      const asked = closing.leaderboard.submit(board, submission);
      const closed = closing.leaderboard.close();
      for (const late of [
        () => closing.leaderboard.submit(board, submission),
        () => closing.leaderboard.page(board, 0, 1),
        () => closing.leaderboard.around(board, "ann", 1),
        () => closing.leaderboard.load(board, { epoch: 2, submissions: 0, players: [] }),
        () => closing.leaderboard.drop(board),
      ]) {
        await assert.rejects(late(), { code: "draining" });
      }
      assert.equal((await asked).kind, "accepted");
      await closed;
      await closing.close();
    });
  });
}
