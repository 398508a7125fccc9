import assert from "node:assert/strict";
import { assignmentIdOf } from "../../src/stores/hunts/assignments.ts";
import { type AssignmentRow, type ClueLedger, type HuntKey, OUTCOME } from "../../src/stores/hunts/ClueLedger.ts";
import { freshHunt, LEDGERS, type OpenLedger } from "./ledgers.ts";

const NOW = 1_700_000_000_000;

function row(instance: number, generation: number, playerId: string, more: Partial<AssignmentRow> = {}): AssignmentRow {
  return {
    ...{ instance, generation, playerId, playerName: playerId.toUpperCase(), openedAt: NOW, expiresAt: NOW + 60_000 },
    ...{
      attemptsBefore: 0,
      requestMarks: "",
      attemptsUsed: 0,
      outcome: OUTCOME.open,
      closedAt: 0,
      points: 0,
      solveSeq: 0,
    },
    ...more,
  };
}

/** `count` players, each with one solved and one open assignment. */
async function* manyRows(count: number, prefix: string): AsyncGenerator<AssignmentRow> {
  for (let n = 0; n < count; n += 1) {
    const player = `${prefix}-${n}`;
    const closed = { outcome: OUTCOME.solved, closedAt: NOW, attemptsUsed: 1, points: 10, solveSeq: n + 1 };
    yield row(2 * n, 1, player, closed);
    yield row(2 * n + 1, 1, player);
  }
}

for (const { name, open } of LEDGERS) {
  describe(`${name}, loaded from committed rows`, () => {
    let opened: OpenLedger;
    let ledger: ClueLedger;
    let hunt: HuntKey;

    before(async () => {
      opened = await open();
      ledger = opened.ledger;
    });
    after(() => opened.close());
    beforeEach(() => {
      hunt = freshHunt({ total: 10_000 });
    });
    afterEach(() => ledger.drop(hunt));

    const idOf = async (playerId: string): Promise<string> => {
      const decision = await ledger.claim(hunt, { playerId, playerName: playerId, nodeId: "n1", now: NOW });
      return decision.kind === "assigned" ? assignmentIdOf(decision.row) : decision.kind;
    };

    it("takes thousands of rows from a stream", async () => {
      assert.equal(await ledger.load(hunt, { epoch: 1, issued: 3100, rows: manyRows(1500, "p") }), true);
      const view = await ledger.read(hunt, 1);
      assert.ok(view);
      const { players, open, solved, pool, issued, top } = view;
      assert.deepEqual(
        { players, open, solved, pool, issued },
        { players: 1500, open: 1500, solved: 1500, pool: 100, issued: 3100 },
      );
      assert.deepEqual(top, [{ rank: 1, playerId: "p-0", name: "P-0", points: 10 }]);
      assert.equal(await idOf("p-700"), "1401.1");
      const again = await ledger.solve(hunt, { playerId: "p-700", assignmentId: "1400.1", correct: true, now: NOW });
      assert.ok(again.kind === "solved" && again.row.solveSeq === 701);
    });

    it("ignores an epoch that it is at or beyond", async () => {
      await ledger.load(hunt, { epoch: 5, issued: 2, rows: [] });
      for (const epoch of [4, 5])
        assert.equal(await ledger.load(hunt, { epoch, issued: 9, rows: manyRows(3, "p") }), false);
      assert.equal((await ledger.read(hunt, 0))?.issued, 2);
      assert.equal(await ledger.load(hunt, { epoch: 6, issued: 9, rows: [] }), true);
      assert.equal((await ledger.read(hunt, 0))?.epoch, 6);
    });

    it("never mixes loads that run at once, and lets the latest epoch win", async () => {
      const loads = [3, 1, 4, 2].map((epoch) =>
        ledger.load(hunt, { epoch, issued: 0, rows: manyRows(500 + epoch * 100, `e${epoch}`) }),
      );
      const [third, , fourth] = await Promise.all(loads);
      assert.equal(fourth, true);
      assert.equal(typeof third, "boolean");
      const view = await ledger.read(hunt, 1000);
      assert.ok(view);
      assert.deepEqual([view.epoch, view.players, view.open, view.solved], [4, 900, 900, 900]);
      assert.ok(view.top.every(({ playerId }) => playerId.startsWith("e4-")));
    });

    it("is not half there when its rows fail on the way", async () => {
      async function* failing(): AsyncGenerator<AssignmentRow> {
        yield* manyRows(600, "p");
        throw new Error("the database went away");
      }
      await assert.rejects(ledger.load(hunt, { epoch: 1, issued: 0, rows: failing() }), /went away/);
      assert.equal(await ledger.read(hunt, 0), undefined);
      assert.equal(await ledger.load(hunt, { epoch: 1, issued: 0, rows: manyRows(2, "p") }), true);
      assert.equal((await ledger.read(hunt, 0))?.players, 2);
    });

    it("forgets who waited, since nobody may be told from then on", async () => {
      await ledger.load(hunt, { epoch: 1, issued: 0, rows: [] });
      assert.equal(await idOf("ann"), "waiting");
      await ledger.load(hunt, { epoch: 2, issued: 0, rows: [] });
      const issued = await ledger.issue(hunt, 1, NOW);
      assert.ok(issued.kind === "issued");
      assert.deepEqual([issued.served, issued.waiting, issued.pool], [[], 0, 1]);
    });

    it("counts the highest generation, and puts back what was given by decisions that were never committed", async () => {
      const rows = [
        row(4, 2, "ann"),
        row(4, 1, "bob", { outcome: OUTCOME.expired, closedAt: NOW }),
        row(2, 3, "cy", { outcome: OUTCOME.exhausted, closedAt: NOW }),
        row(1, 1, "dee", { outcome: OUTCOME.solved, closedAt: NOW, points: 20, solveSeq: 9 }),
      ];
      await ledger.load(hunt, { epoch: 1, issued: 0, rows });
      assert.equal((await ledger.read(hunt, 0))?.issued, 5);
      assert.equal(await idOf("ann"), "4.2");
      const ids: string[] = [];
      for (const player of ["w", "x", "y", "z"]) ids.push(await idOf(player));
      assert.deepEqual(ids, ["2.4", "0.1", "3.1", "waiting"]);
      const solved = await ledger.solve(hunt, { playerId: "ann", assignmentId: "4.2", correct: true, now: NOW });
      assert.ok(solved.kind === "solved" && solved.row.solveSeq === 10);
    });

    it("takes an open row of an outdated generation for revoked, and tells its player so", async () => {
      const rows = [row(0, 1, "ann"), row(0, 2, "bob")];
      for (const order of [rows, rows.toReversed()]) {
        await ledger.drop(hunt);
        await ledger.load(hunt, { epoch: 1, issued: 1, rows: order });
        const late = await ledger.solve(hunt, { playerId: "ann", assignmentId: "0.1", correct: true, now: NOW });
        assert.ok(late.kind === "revoked" && late.row.outcome === OUTCOME.expired);
        assert.equal(await idOf("bob"), "0.2");
        assert.equal(await idOf("ann"), "waiting");
      }
    });

    it("leaves a player with two open rows the newest, and puts the other instance back", async () => {
      const rows = [row(3, 1, "ann", { openedAt: NOW }), row(1, 1, "ann", { openedAt: NOW + 1 }), row(0, 1, "bob")];
      for (const order of [rows, rows.toReversed()]) {
        await ledger.drop(hunt);
        await ledger.load(hunt, { epoch: 1, issued: 4, rows: order });
        assert.equal(await idOf("ann"), "1.1");
        assert.deepEqual([await idOf("cy"), await idOf("dee")], ["3.2", "2.1"]);
      }
    });
  });
}
