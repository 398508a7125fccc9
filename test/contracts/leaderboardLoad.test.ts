import assert from "node:assert/strict";
import {
  type BoardKey,
  type Leaderboard,
  type PlayerSnapshot,
  REMEMBERED,
  type ScoreEntry,
  type SubmitDecision,
} from "../../src/stores/tournaments/Leaderboard.ts";
import { freshBoard, LEADERBOARDS, type OpenLeaderboard } from "./leaderboards.ts";

const NOW = 1_700_000_000_000;

function entry(playerId: string, entryNo: number, more: Partial<ScoreEntry> = {}): ScoreEntry {
  return {
    ...{ playerId, playerName: playerId.toUpperCase(), submissionId: `${playerId}-${entryNo}`, entryNo },
    ...{ score: 10, subscore: 0, best: 10, bestSubscore: 0, seq: entryNo, reachedSeq: 1, toldRank: 1 },
    ...more,
  };
}

/** A player whose latest entries are numbered `from` to `to`. */
function playerWith(playerId: string, from: number, to: number, more: Partial<ScoreEntry> = {}): PlayerSnapshot {
  const remembered = Array.from({ length: to - from + 1 }, (_, index) => entry(playerId, from + index, more));
  return { latest: remembered.at(-1)!, remembered: remembered.toReversed() };
}

/** `count` players with one entry each; the n-th has n points. */
async function* manyPlayers(count: number, prefix: string): AsyncGenerator<PlayerSnapshot> {
  for (let n = 1; n <= count; n += 1) {
    yield playerWith(`${prefix}-${n}`, 1, 1, { score: n, best: n, seq: n, reachedSeq: n });
  }
}

for (const { name, open } of LEADERBOARDS) {
  describe(`${name}, loaded from committed entries`, () => {
    let opened: OpenLeaderboard;
    let leaderboard: Leaderboard;
    let board: BoardKey;

    before(async () => {
      opened = await open();
      leaderboard = opened.leaderboard;
    });
    after(() => opened.close());
    beforeEach(() => {
      board = freshBoard();
    });
    afterEach(() => leaderboard.drop(board));

    const submit = (playerId: string, submissionId: string, isNew?: boolean): Promise<SubmitDecision> => {
      const submission = { playerId, playerName: playerId.toUpperCase(), submissionId, score: 5000, subscore: 0 };
      return leaderboard.submit(board, { ...submission, now: NOW, isNew });
    };

    it("takes thousands of players from a stream", async () => {
      assert.equal(
        await leaderboard.load(board, { epoch: 7, submissions: 4000, players: manyPlayers(1500, "p") }),
        true,
      );
      const page = await leaderboard.page(board, 0, 2);
      assert.deepEqual(page, {
        ...{ epoch: 7, version: 4000, seq: 1500, total: 1500 },
        rows: [
          { rank: 1, playerId: "p-1500", name: "P-1500", score: 1500, subscore: 0, entries: 1 },
          { rank: 2, playerId: "p-1499", name: "P-1499", score: 1499, subscore: 0, entries: 1 },
        ],
      });
      const decision = await submit("p-700", "next");
      assert.ok(decision.kind === "accepted");
      const { seq, entryNo, toldRank } = decision.entry;
      assert.deepEqual([decision.epoch, seq, entryNo, toldRank], [7, 1501, 2, 1]);
      assert.deepEqual(decision.previous, entry("p-700", 1, { score: 700, best: 700, seq: 700, reachedSeq: 700 }));
      assert.equal((await leaderboard.page(board, 0, 0))?.version, 4001);
    });

    it("restores places, ties included, in either order of players", async () => {
      const snapshots = ["c", "a", "d", "b"].map((id, index) =>
        playerWith(id, 1, 1, { seq: 20 - index, reachedSeq: 20 - index, best: index === 2 ? 9 : 10, bestSubscore: 3 }),
      );
      for (const [epoch, players] of [snapshots, snapshots.toReversed()].entries()) {
        await leaderboard.load(board, { epoch, submissions: 4, players });
        const page = await leaderboard.page(board, 0, 10);
        assert.deepEqual(
          page?.rows.map(({ playerId }) => playerId),
          ["b", "a", "c", "d"],
        );
      }
    });

    it("answers a loaded submission as the first time, and is unsure of those it was not given", async () => {
      const last = REMEMBERED + 3;
      const ann = playerWith("ann", 4, last, { playerName: "Änn 🎪", best: 0.1 + 0.2, score: -1e-300, subscore: -7 });
      // more than are remembered: those in excess are left out
      const all = { ...ann, remembered: [...ann.remembered, entry("ann", 3), entry("ann", 2)] };
      await leaderboard.load(board, { epoch: 1, submissions: last, players: [all] });
      const entries = ann.remembered.toReversed();
      for (const [index, remembered] of entries.entries()) {
        const before = index === 0 ? {} : { previous: entries[index - 1] };
        const expected = { kind: "accepted", epoch: 1, entry: remembered, ...before, isRepeated: true };
        assert.deepEqual(await submit("ann", remembered.submissionId), expected);
      }
      assert.deepEqual(await submit("ann", "ann-3"), { kind: "unsure" });
      const next = await submit("ann", "new", true);
      assert.ok(next.kind === "accepted" && next.entry.entryNo === last + 1);
      assert.deepEqual(next.previous, ann.latest);
      assert.deepEqual(await submit("ann", "ann-4"), { kind: "unsure" });
    });

    it("is sure of every submission of players who made no more than it was given", async () => {
      await leaderboard.load(board, { epoch: 1, submissions: 3, players: [playerWith("ann", 1, 3)] });
      assert.equal((await submit("ann", "new")).kind, "accepted");
    });

    it("bounds entries by what was committed", async () => {
      board = freshBoard({ maxEntries: 3, maxSubmissions: 5 });
      const players = [playerWith("ann", 1, 3), playerWith("bob", 1, 1)];
      await leaderboard.load(board, { epoch: 1, submissions: 4, players });
      assert.deepEqual(await submit("ann", "new"), { kind: "full", of: "player" });
      assert.equal((await submit("cy", "new")).kind, "accepted");
      assert.deepEqual(await submit("bob", "new"), { kind: "full", of: "tournament" });
    });

    it("ignores an epoch that it is at or beyond", async () => {
      await leaderboard.load(board, { epoch: 5, submissions: 0, players: [] });
      const unread: Iterable<PlayerSnapshot> = { [Symbol.iterator]: () => assert.fail("read for nothing") };
      for (const epoch of [4, 5]) {
        assert.equal(await leaderboard.load(board, { epoch, submissions: 3, players: unread }), false);
      }
      assert.equal((await leaderboard.page(board, 0, 1))?.total, 0);
      assert.equal(await leaderboard.load(board, { epoch: 6, submissions: 3, players: manyPlayers(3, "p") }), true);
      assert.deepEqual((await leaderboard.page(board, 0, 0))?.epoch, 6);
    });

    it("is as before until a load is whole, and forgets then what was not committed", async () => {
      await leaderboard.load(board, { epoch: 1, submissions: 0, players: [] });
      async function* observed(): AsyncGenerator<PlayerSnapshot> {
        yield* manyPlayers(600, "p");
        const late = await submit("ann", "lost");
        assert.ok(late.kind === "accepted" && late.epoch === 1 && late.entry.toldRank === 1);
        assert.equal((await leaderboard.page(board, 0, 1))?.total, 1);
      }
      assert.equal(await leaderboard.load(board, { epoch: 2, submissions: 600, players: observed() }), true);
      assert.equal((await leaderboard.page(board, 0, 1))?.total, 600);
      const again = await submit("ann", "lost");
      assert.ok(again.kind === "accepted" && !again.isRepeated && again.entry.seq === 601);
    });

    it("never mixes loads that run at once, and lets the latest epoch win", async () => {
      const loads = [3, 1, 4, 2].map((epoch) =>
        leaderboard.load(board, { epoch, submissions: 0, players: manyPlayers(500 + epoch * 100, `e${epoch}`) }),
      );
      assert.equal((await Promise.all(loads))[2], true);
      const page = await leaderboard.page(board, 0, 1000);
      assert.deepEqual([page?.epoch, page?.total], [4, 900]);
      assert.ok(page?.rows.every(({ playerId }) => playerId.startsWith("e4-")));
    });

    it("lets one of two loads of the same epoch win as a whole", async () => {
      const loads = ["a", "b"].map((prefix) =>
        leaderboard.load(board, { epoch: 1, submissions: 0, players: manyPlayers(700, prefix) }),
      );
      assert.deepEqual((await Promise.all(loads)).filter(Boolean).length, 1);
      const page = await leaderboard.page(board, 0, 1000);
      assert.equal(page?.total, 700);
      assert.equal(new Set(page?.rows.map(({ playerId }) => playerId[0])).size, 1);
    });

    it("is not half there when its entries fail on the way", async () => {
      async function* failing(): AsyncGenerator<PlayerSnapshot> {
        yield* manyPlayers(600, "p");
        throw new Error("the database went away");
      }
      await assert.rejects(leaderboard.load(board, { epoch: 1, submissions: 0, players: failing() }), /went away/);
      assert.equal(await leaderboard.page(board, 0, 1), undefined);
      assert.equal(await leaderboard.load(board, { epoch: 1, submissions: 2, players: manyPlayers(2, "p") }), true);
      assert.equal((await leaderboard.page(board, 0, 1))?.total, 2);
    });
  });
}
