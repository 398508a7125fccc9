import assert from "node:assert/strict";
import fc from "fast-check";
import { AssignmentJournal, assignmentCounts, standings } from "../../src/actors/hunts/AssignmentJournal.ts";
import { systemClock } from "../../src/clock.ts";
import { databaseTime } from "../../src/entities/databaseTime.ts";
import type { Database } from "../../src/entities/sql.ts";
import { requestMarkOf, withMark } from "../../src/stores/hunts/assignments.ts";
import { type AssignmentRow, OUTCOME } from "../../src/stores/hunts/ClueLedger.ts";
import { DATABASES, insertHunt, OPENED_AT, openRow, raiseEpoch, rowsIn, solvedRow } from "./ledgerJournals.ts";

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);

for (const { name, open } of DATABASES) {
  describe(`AssignmentJournal on ${name}`, () => {
    let database: Database;
    let journal: AssignmentJournal;
    let hunt: string;

    before(async () => {
      console.log(`      seed ${SEED} (SEED=${SEED} replays)`);
      database = await open();
      journal = new AssignmentJournal(database, systemClock);
    });
    after(() => database.close());
    beforeEach(async () => {
      hunt = await insertHunt(database);
    });

    const all = (huntId = hunt): Promise<AssignmentRow[]> => rowsIn(journal, huntId);

    it("keeps every field of a row", async () => {
      const rows = [openRow(0, 1, "ann"), solvedRow(2_000_000, "bob", 4000, 7)];
      assert.equal(await journal.commit(hunt, 1, rows), "committed");
      assert.deepEqual(await all(), rows);
      assert.equal(await journal.commit(hunt, 1, []), "committed");
    });

    it("writes nothing under another epoch than the hunt's, nor for a hunt that there is not", async () => {
      assert.equal(await journal.commit(hunt, 1, [openRow(0, 1, "ann")]), "committed");
      await raiseEpoch(database, hunt, 2);
      assert.equal(await journal.commit(hunt, 1, [solvedRow(0, "ann", 10, 1), openRow(1, 1, "bob")]), "stale");
      assert.equal(await journal.commit(hunt, 3, [openRow(1, 1, "bob")]), "stale");
      assert.equal(await journal.commit("no-hunt", 1, [openRow(1, 1, "bob")]), "stale");
      assert.deepEqual(await all(), [openRow(0, 1, "ann")]);
      assert.equal(await journal.commit(hunt, 2, [solvedRow(0, "ann", 10, 1)]), "committed");
      assert.deepEqual(await all(), [solvedRow(0, "ann", 10, 1)]);
    });

    it("writes nothing once solving has ended by the database's clock, whatever the phase says", async () => {
      const now = await databaseTime(database);
      const ended = await insertHunt(database, now);
      const late = [openRow(0, 1, "ann"), solvedRow(1, "bob", 10, 1)];
      assert.equal(await journal.commit(ended, 1, late), "over");
      assert.deepEqual(await all(ended), []);
      await database.write("UPDATE hunts SET phase_ends_at = ? WHERE id = ?", [now + 3_600_000, ended]);
      assert.equal(await journal.commit(ended, 1, late), "committed", "what was put off goes on");
    });

    it("writes nothing that was decided before the hunt was paused or resumed, nor while it is paused", async () => {
      const rows = [openRow(0, 1, "ann")];
      const stands = (pauses: number) => database.write("UPDATE hunts SET pauses = ? WHERE id = ?", [pauses, hunt]);
      await stands(1);
      for (const pauses of [0, 1, 2]) assert.equal(await journal.commit(hunt, 1, rows, pauses), "paused");
      await stands(2);
      for (const pauses of [0, 1]) assert.equal(await journal.commit(hunt, 1, rows, pauses), "paused");
      assert.deepEqual(await all(), []);
      assert.equal(await journal.commit(hunt, 1, rows, 2), "committed");
    });

    it("decides by epoch and hunt alone, whatever is committed at the same time", async () => {
      const other = await insertHunt(database);
      const results = await Promise.all([
        journal.commit(hunt, 1, [openRow(0, 1, "ann")]),
        journal.commit(hunt, 2, [openRow(1, 1, "bob")]),
        journal.commit(other, 1, [openRow(0, 1, "cy")]),
        journal.commit(hunt, 1, [openRow(2, 1, "dee")]),
      ]);
      assert.deepEqual(results, ["committed", "stale", "committed", "committed"]);
      assert.deepEqual(
        (await all()).map((row) => row.playerId),
        ["ann", "dee"],
      );
      assert.deepEqual(
        (await all(other)).map((row) => row.playerId),
        ["cy"],
      );
    });

    it("never reopens a row nor takes anything back", async () => {
      const solved = solvedRow(0, "ann", 10, 1);
      await journal.commit(hunt, 1, [solved]);
      await journal.commit(hunt, 1, [openRow(0, 1, "ann")]);
      assert.deepEqual(await all(), [solved]);
    });

    it("ends the same whatever the order, the grouping and the repetition of rows", async () => {
      const life = (instance: number): AssignmentRow[] => {
        const opened = openRow(instance, 1, `p-${instance}`);
        const wrong = { ...opened, attemptsUsed: 1, requestMarks: requestMarkOf("first") };
        const requestMarks = withMark(wrong.requestMarks, 2, requestMarkOf("second"));
        const closed = { ...wrong, attemptsUsed: 2, requestMarks, outcome: OUTCOME.solved, closedAt: OPENED_AT + 5 };
        return [opened, wrong, { ...closed, points: 10, solveSeq: instance + 1 }];
      };
      const rows = [0, 1, 2, 3].flatMap(life);
      const finals = [0, 1, 2, 3].map((instance) => life(instance)[2]!);
      const order = fc.shuffledSubarray([...rows, ...rows], { minLength: rows.length * 2 });
      const cuts = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: rows.length * 2, maxLength: rows.length * 2 });
      await fc.assert(
        fc.asyncProperty(order, cuts, async (ordered, sizes) => {
          const fresh = await insertHunt(database);
          const rest = [...ordered];
          for (const size of sizes) {
            if (rest.length === 0) break;
            assert.equal(await journal.commit(fresh, 1, rest.splice(0, size)), "committed");
          }
          assert.deepEqual(await all(fresh), finals);
        }),
        { seed: SEED, numRuns: 20 },
      );
    });

    it("refuses rows that contradict what is committed, all of them, and changes nothing", async () => {
      const before = [openRow(0, 1, "ann"), openRow(5, 2, "bob")];
      await journal.commit(hunt, 1, before);
      const contradicting = [openRow(1, 1, "cy"), solvedRow(0, "mallory", 10, 1), openRow(6, 1, "dee")];
      assert.equal(await journal.commit(hunt, 1, contradicting), "contradicted");
      assert.equal(await journal.commit(hunt, 1, [openRow(7, 1, "ann"), openRow(7, 1, "bob")]), "contradicted");
      assert.deepEqual(await all(), before);
    });

    it("closes the rows of earlier generations whose closing was lost", async () => {
      await journal.commit(hunt, 1, [openRow(0, 1, "ann"), openRow(1, 1, "bob"), solvedRow(2, "cy", 10, 1)]);
      await journal.commit(hunt, 1, [openRow(0, 3, "dee")]);
      const rows = await all();
      assert.deepEqual(
        rows.map(({ playerId, outcome, closedAt }) => [playerId, outcome, closedAt]),
        [
          ["ann", OUTCOME.exhausted, OPENED_AT],
          ["dee", OUTCOME.open, 0],
          ["bob", OUTCOME.open, 0],
          ["cy", OUTCOME.solved, OPENED_AT + 1],
        ],
      );
      const late = { ...openRow(0, 1, "ann"), attemptsUsed: 2, outcome: OUTCOME.expired, closedAt: OPENED_AT + 60_000 };
      await journal.commit(hunt, 1, [late]);
      assert.deepEqual((await all())[0], late);
    });

    it("commits more rows than a statement takes, and reads more than a page", async () => {
      const rows = Array.from({ length: 4100 }, (_, n) => openRow(n, 1, `p-${n}`));
      assert.equal(await journal.commit(hunt, 1, rows), "committed");
      assert.deepEqual(await all(), rows);
    });

    it("groups what concurrent callers commit, and answers each", async () => {
      const commits = Array.from({ length: 1500 }, (_, n) => journal.commit(hunt, 1, [openRow(n, 1, `p-${n}`)]));
      await journal.flush();
      assert.ok((await Promise.all(commits)).every((result) => result === "committed"));
      assert.equal((await assignmentCounts(database, hunt)).assignments, 1500);
    });

    it("ranks committed points, and equal ones by who reached them first", async () => {
      const solved = [
        solvedRow(0, "ann", 10, 1),
        solvedRow(1, "bob", 20, 2),
        solvedRow(2, "cy", 40, 3),
        solvedRow(3, "ann", 10, 4),
        solvedRow(4, "Ann", 20, 5),
      ];
      await journal.commit(hunt, 1, [...solved, openRow(5, 1, "dee")]);
      const rows = await standings(database, hunt, 3);
      assert.deepEqual(
        rows.map(({ rank, playerId, name, points }) => [rank, playerId, name, points]),
        [
          [1, "cy", "Ann 🎪 cy", 40],
          [2, "bob", "Ann 🎪 bob", 20],
          [3, "ann", "Ann 🎪 ann", 20],
        ],
      );
      assert.deepEqual(await assignmentCounts(database, hunt), { players: 5, assignments: 6, solved: 5 });
      assert.deepEqual(await standings(database, "no-hunt", 3), []);
    });

    it("lets nobody commit under an epoch that is being raised: the freeze sees all that was ever acknowledged", async () => {
      let frozen: unknown;
      const commits = Array.from({ length: 200 }, async (_, n) => {
        const result = await journal.commit(hunt, 1, [solvedRow(n, `p-${n}`, 1, n + 1)]);
        if (n !== 50) return result;
        frozen = await database.transaction(async (tx) => {
          await tx.write("UPDATE hunts SET ledger_epoch = 2 WHERE id = ?", [hunt]);
          return await standings(tx, hunt, 1000);
        });
        return result;
      });
      const late: Promise<string>[] = [];
      for (let n = 200; n < 400; n += 1) {
        late.push(journal.commit(hunt, 1, [solvedRow(n, `p-${n}`, 1, n + 1)]));
        if (n % 20 === 0) await new Promise(setImmediate);
      }
      const results = await Promise.all([...commits, ...late]);
      assert.deepEqual(await standings(database, hunt, 1000), frozen);
      assert.equal((frozen as unknown[]).length, results.filter((result) => result === "committed").length);
    });
  });
}
