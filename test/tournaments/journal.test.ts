import assert from "node:assert/strict";
import fc from "fast-check";
import { ScoreJournal } from "../../src/actors/tournaments/ScoreJournal.ts";
import { systemClock } from "../../src/clock.ts";
import type { Database } from "../../src/entities/sql.ts";
import { bestToBe, playersToBe } from "../../src/entities/tournaments/Standings.ts";
import { REMEMBERED, type ScoreEntry } from "../../src/stores/tournaments/Leaderboard.ts";
import { LARGEST_SUBSCORE } from "../../src/stores/tournaments/scoring.ts";
import { DATABASES } from "../hunts/ledgerJournals.ts";
import { rowsRead } from "../support/rowsRead.ts";
import { entriesIn, insertTournament, playersIn, someEntry } from "./journals.ts";

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);

for (const { name, open } of DATABASES) {
  describe(`ScoreJournal on ${name}`, () => {
    let database: Database;
    let journal: ScoreJournal;
    let id: string;

    before(async () => {
      console.log(`      seed ${SEED} (SEED=${SEED} replays)`);
      database = await open();
      journal = new ScoreJournal(database, systemClock);
    });
    after(() => database.close());
    beforeEach(async () => {
      id = await insertTournament(database);
    });

    const commit = (entry: ScoreEntry, previous?: ScoreEntry, epoch = 1) =>
      journal.commit(id, "snake", epoch, [{ entry, previous }]);
    const entries = (): Promise<[string, number, string][]> => entriesIn(database, id);

    it("keeps every field of an entry, to the last bit of a score", async () => {
      const score = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
      const subscore = fc.integer({ min: -LARGEST_SUBSCORE, max: LARGEST_SUBSCORE });
      const results = fc.array(fc.record({ score, subscore, best: score, bestSubscore: subscore }), { minLength: 1 });
      await fc.assert(
        fc.asyncProperty(results, async (changes) => {
          const tournament = await insertTournament(database);
          const written = changes.map((change, at) =>
            someEntry("ann", at + 1, { ...change, seq: 7 + at, toldRank: at + 2 }),
          );
          const commits = written.map((entry) => ({ entry }));
          assert.equal(await journal.commit(tournament, "snake", 1, commits), "committed");
          for (const entry of written) {
            assert.deepEqual(await journal.find(tournament, "ann", entry.submissionId), entry);
          }
        }),
        { seed: SEED, numRuns: 20 },
      );
    });

    if (name === "MariaDB")
      it("reads a few rows for each submission that it looks for and each entry that it commits, however many there are", async () => {
        const players = Array.from({ length: 5000 }, (_, at) => ({ entry: someEntry(`p${at}`, 1, { seq: at + 1 }) }));
        await journal.commit(id, "snake", 1, players);
        const asked = players.slice(0, 50).map(({ entry }) => entry);
        const found = await rowsRead(database, (within) => {
          const reader = new ScoreJournal(within, systemClock);
          return Promise.all(asked.map(({ playerId }) => reader.find(id, playerId, "s-2")));
        });
        assert.ok(found < 1000, `${found} rows for 50 submissions`);
        const next = asked.map((previous, at) => ({
          entry: someEntry(previous.playerId, 2, { seq: 5001 + at }),
          previous,
        }));
        const committed = await rowsRead(database, (within) =>
          new ScoreJournal(within, systemClock).commit(id, "snake", 1, next),
        );
        assert.ok(committed < 1000, `${committed} rows for 50 entries`);
      });

    it("counts what is committed up to a number, of one tournament", async () => {
      const numbered = [3, 5, 9].map((seq, at) => ({ entry: someEntry("ann", at + 1, { seq }) }));
      const other = await insertTournament(database);
      for (const tournament of [id, other]) await journal.commit(tournament, "snake", 1, numbered);
      const counts = await Promise.all([0, 3, 8, 9, 100].map((seq) => journal.countTo(id, seq)));
      assert.deepEqual(counts, [0, 1, 2, 3, 3]);
    });

    it("stores when an entry was committed, and for which game", async () => {
      const clock = { ...systemClock, now: () => 1_700_000_000_123 };
      const other = new ScoreJournal(database, clock);
      assert.equal(await other.commit(id, "tetris", 1, [{ entry: someEntry("ann", 1) }]), "committed");
      const [row] = await database.query<{ game: string; stored_at: unknown }>(
        "SELECT game, stored_at FROM score_entries WHERE tournament_id = ?",
        [id],
      );
      assert.deepEqual([row?.game, Number(row?.stored_at)], ["tetris", 1_700_000_000_123]);
    });

    it("writes nothing under another epoch than the board's, nor for a tournament that there is not", async () => {
      assert.equal(await commit(someEntry("ann", 1), undefined, 2), "stale");
      assert.equal(await commit(someEntry("ann", 1), undefined, 0), "stale");
      assert.equal(await journal.commit("none", "snake", 1, [{ entry: someEntry("ann", 1) }]), "stale");
      assert.deepEqual(await entries(), []);
      assert.equal(await journal.commit(id, "snake", 1, []), "committed");
    });

    for (const [phase, result] of [
      ["scheduled", "stale"],
      ["open", "committed"],
      ["grace", "committed"],
      ["settling", "stale"],
      ["settled", "stale"],
      ["cancelled", "stale"],
    ] as const) {
      it(`answers ${result} when the tournament is ${phase}`, async () => {
        id = await insertTournament(database, phase);
        assert.equal(await commit(someEntry("ann", 1)), result);
        assert.equal((await entries()).length, result === "committed" ? 1 : 0);
      });
    }

    it("takes the same entry any number of times, and keeps it as it was", async () => {
      const entry = someEntry("ann", 1);
      assert.equal(await commit(entry), "committed");
      assert.equal(await commit({ ...entry, toldRank: 9 }), "committed");
      assert.deepEqual(await Promise.all([commit(entry), commit(entry)]), ["committed", "committed"]);
      assert.deepEqual(await journal.find(id, "ann", "s-1"), entry);
    });

    it("refuses another submission under a number that is taken, and a submission under another number", async () => {
      await commit(someEntry("ann", 1));
      assert.equal(await commit(someEntry("ann", 1, { submissionId: "other" })), "contradicted");
      assert.equal(await commit(someEntry("ann", 1, { seq: 5 })), "contradicted");
      assert.equal(await commit(someEntry("ann", 2, { submissionId: "s-1" })), "contradicted");
      assert.equal(await commit(someEntry("bob", 1)), "committed");
      assert.deepEqual(await entries(), [
        ["ann", 1, "s-1"],
        ["bob", 1, "s-1"],
      ]);
    });

    describe("leaves no gap between a player's entries:", () => {
      it("an entry without its predecessor is refused, whatever others do in the same flush", async () => {
        const results = await Promise.all([
          commit(someEntry("ann", 2)),
          commit(someEntry("bob", 1)),
          commit(someEntry("cid", 3), someEntry("cid", 2)),
          commit(someEntry("bob", 2), someEntry("bob", 1)),
        ]);
        assert.deepEqual(results, ["contradicted", "committed", "contradicted", "committed"]);
        assert.deepEqual(await entries(), [
          ["bob", 1, "s-1"],
          ["bob", 2, "s-2"],
        ]);
      });

      it("the one before is committed as well where it is missing", async () => {
        assert.equal(await commit(someEntry("ann", 2), someEntry("ann", 1)), "committed");
        assert.equal(await commit(someEntry("ann", 3)), "committed");
        assert.deepEqual(
          (await entries()).map(([, entryNo]) => entryNo),
          [1, 2, 3],
        );
      });

      it("the one before counts when it is on its way in the same flush, in whatever order they come", async () => {
        const results = await Promise.all([3, 1, 2].map((entryNo) => commit(someEntry("ann", entryNo))));
        assert.deepEqual(results, ["committed", "committed", "committed"]);
      });

      it("and not when it is refused itself", async () => {
        const results = await Promise.all([3, 2].map((entryNo) => commit(someEntry("ann", entryNo))));
        assert.deepEqual(results, ["contradicted", "contradicted"]);
        assert.deepEqual(await entries(), []);
      });

      it("nor when the database has another decision in its place", async () => {
        await commit(someEntry("ann", 1));
        const other = someEntry("ann", 1, { submissionId: "other" });
        assert.equal(await commit(someEntry("ann", 2), other), "contradicted");
        assert.equal(await commit(someEntry("ann", 2), { ...someEntry("ann", 1), seq: 9 }), "contradicted");
        assert.deepEqual(await entries(), [["ann", 1, "s-1"]]);
      });

      it("from however many nodes they come", async () => {
        const nodes = Array.from({ length: 3 }, () => new ScoreJournal(database, systemClock));
        const players = Array.from({ length: 40 }, (_, n) => `p-${n}`);
        const committed = new Map<string, number>();
        const submit = async (playerId: string, entryNo: number): Promise<void> => {
          const previous = entryNo === 1 ? undefined : someEntry(playerId, entryNo - 1);
          const commits = [{ entry: someEntry(playerId, entryNo), previous }];
          const result = await nodes[entryNo % 3]!.commit(id, "snake", 1, commits);
          if (result === "committed") committed.set(playerId, Math.max(committed.get(playerId) ?? 0, entryNo));
          else assert.equal(result, "contradicted");
        };
        await Promise.all(players.flatMap((playerId) => [1, 2, 3, 4, 5].map((entryNo) => submit(playerId, entryNo))));
        const byPlayer = Map.groupBy(await entries(), ([playerId]) => playerId);
        for (const [playerId, rows] of byPlayer) {
          assert.deepEqual(
            rows.map(([, entryNo]) => entryNo),
            rows.map((_, at) => at + 1),
          );
          assert.ok(rows.length >= (committed.get(playerId) ?? 0), "what was committed is there");
        }
      });
    });

    it("takes more entries at a time than a statement, and reads more than a page", async () => {
      const commits = Array.from({ length: 700 }, (_, n) =>
        [1, 2, 3].map((entryNo) => ({ entry: someEntry(`p-${n}`, entryNo, { seq: 3 * n + entryNo }) })),
      ).flat();
      assert.equal(await journal.commit(id, "snake", 1, commits), "committed");
      const { submissions } = await journal.snapshot(id);
      assert.equal(submissions, 2100);
      const players = await playersIn(journal, id);
      assert.equal(players.length, 700);
      for (const { latest, remembered } of players) {
        assert.equal(latest.entryNo, 3);
        assert.deepEqual(
          remembered.map(({ entryNo, playerId }) => [entryNo, playerId]),
          [1, 2, 3].map((entryNo) => [entryNo, latest.playerId]),
        );
      }
    });

    it("remembers the newest entries of who has made many, and reads no more", async () => {
      const many = Array.from({ length: 3 * REMEMBERED }, (_, at) => ({ entry: someEntry("ann", at + 1) }));
      await journal.commit(id, "snake", 1, [...many, { entry: someEntry("bob", 1) }]);
      const [ann, bob] = await playersIn(journal, id);
      assert.deepEqual(
        ann?.remembered,
        many.slice(-REMEMBERED).map(({ entry }) => entry),
      );
      assert.deepEqual(ann?.latest, many.at(-1)!.entry);
      assert.deepEqual(bob, { latest: someEntry("bob", 1), remembered: [someEntry("bob", 1)] });
      assert.deepEqual(await playersIn(journal, "none"), []);
    });

    it("finds what is committed, however many look for it at once", async () => {
      await commit(someEntry("ann", 1));
      await commit(someEntry("Ann", 1, { submissionId: "S-1" }));
      const found = await Promise.all([
        journal.find(id, "ann", "s-1"),
        journal.find(id, "ann", "S-1"),
        journal.find(id, "Ann", "S-1"),
        journal.find("none", "ann", "s-1"),
        journal.find(id, "ann", "s-1"),
      ]);
      assert.deepEqual(
        found.map((entry) => entry?.playerId),
        ["ann", undefined, "Ann", undefined, "ann"],
      );
    });

    it("ranks players by their latest entries: score, subscore, and who reached them first", async () => {
      const rows: [string, number, number, number][] = [
        ["ann", 5, 0, 1],
        ["bob", 9, 1, 2],
        ["cid", 9, 3, 4],
        ["dot", 9, 3, 3],
        ["eve", -2.5, 0, 5],
      ];
      const commits = rows.map(([playerId, best, bestSubscore, reachedSeq]) => ({
        entry: someEntry(playerId, 2, { best, bestSubscore, reachedSeq, seq: reachedSeq + 10 }),
        previous: someEntry(playerId, 1, { best: 100 }),
      }));
      await journal.commit(id, "snake", 1, commits);
      const names = async (order: "asc" | "desc", limit = 10) =>
        (await bestToBe(database, { id, order }, limit)).map(({ rank, playerId }) => `${rank} ${playerId}`);
      assert.deepEqual(await names("desc"), ["1 dot", "2 cid", "3 bob", "4 ann", "5 eve"]);
      assert.deepEqual(await names("asc", 2), ["1 eve", "2 ann"]);
      assert.deepEqual((await bestToBe(database, { id, order: "desc" }, 1))[0], {
        ...{ rank: 1, playerId: "dot", name: "Ann 🎪 dot", score: 9, subscore: 3, entries: 2 },
      });
      assert.deepEqual(
        [await playersToBe(database, id), await bestToBe(database, { id: "none", order: "asc" }, 3)],
        [5, []],
      );
    });

    it("lets nobody commit once the freeze has seen the entries: it has seen all that were ever acknowledged", async () => {
      let frozen: unknown;
      const submit = (n: number) => commit(someEntry(`p-${n}`, 1, { seq: n + 1 }));
      const early = Array.from({ length: 200 }, async (_, n) => {
        const result = await submit(n);
        if (n !== 50) return result;
        frozen = await database.transaction(async (tx) => {
          await tx.write("UPDATE tournaments SET phase = 'settling', board_epoch = 2 WHERE id = ?", [id]);
          return await bestToBe(tx, { id, order: "desc" }, 1000);
        });
        return result;
      });
      const late: Promise<string>[] = [];
      for (let n = 200; n < 400; n += 1) {
        late.push(submit(n));
        if (n % 20 === 0) await new Promise(setImmediate);
      }
      const results = await Promise.all([...early, ...late]);
      assert.deepEqual(await bestToBe(database, { id, order: "desc" }, 1000), frozen);
      assert.equal((frozen as unknown[]).length, results.filter((result) => result === "committed").length);
    });

    it("refuses at once when too much waits", async () => {
      const waiting = Array.from({ length: 110 }, (_, n) => {
        const commits = Array.from({ length: 500 }, (_, at) => ({ entry: someEntry(`p-${n}-${at}`, 1) }));
        return journal.commit("none", "snake", 1, commits).catch((error: { code: string }) => error.code);
      });
      const results = await Promise.all(waiting);
      assert.deepEqual([...new Set(results)].sort(), ["overloaded", "stale"]);
    });
  });
}
