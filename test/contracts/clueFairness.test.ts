import assert from "node:assert/strict";
import { assignmentIdOf, mergeRows, rowsOf } from "../../src/stores/hunts/assignments.ts";
import {
  type AssignmentRow,
  type ClaimDecision,
  type ClueLedger,
  type ExpireDecision,
  type HuntKey,
  type LedgerRules,
  OUTCOME,
  type SolveDecision,
} from "../../src/stores/hunts/ClueLedger.ts";
import { MAX_TEMPLATES } from "../../src/stores/hunts/ledgerRules.ts";
import { freshHunt, LEDGERS, type OpenLedger } from "./ledgers.ts";

const NOW = 1_700_000_000_000;
const TTL_MS = 60_000;

for (const { name, open } of LEDGERS) {
  describe(`${name} is fair`, () => {
    let opened: OpenLedger;
    let ledger: ClueLedger;
    let hunt: HuntKey;
    let epoch: number;
    let issued: number;
    /** What a database would hold: the rows of every decision. */
    let rows: Map<string, AssignmentRow>;

    before(async () => {
      opened = await open();
      ledger = opened.ledger;
    });
    after(() => opened.close());
    afterEach(() => ledger.drop(hunt));

    async function begin(many: number, rules: Partial<LedgerRules> = {}): Promise<void> {
      hunt = freshHunt({ clueTtlMs: TTL_MS, ...rules });
      rows = new Map();
      epoch = 0;
      issued = many;
      await rebuild();
    }

    /** Loses all hot state, and loads it from what was committed. */
    async function rebuild(): Promise<void> {
      await ledger.drop(hunt);
      epoch += 1;
      assert.equal(await ledger.load(hunt, { epoch, issued, rows: [...rows.values()] }), true);
    }

    function committed<D extends Parameters<typeof rowsOf>[0]>(decision: D): D {
      for (const row of rowsOf(decision)) {
        const known = rows.get(assignmentIdOf(row));
        rows.set(assignmentIdOf(row), known === undefined ? row : mergeRows(known, row));
      }
      return decision;
    }

    const claim = async (playerId: string, now = NOW): Promise<ClaimDecision> =>
      committed(await ledger.claim(hunt, { playerId, playerName: playerId, nodeId: "n1", now }));

    const solve = async (playerId: string, row: AssignmentRow, correct: boolean, now = NOW): Promise<SolveDecision> =>
      committed(await ledger.solve(hunt, { playerId, assignmentId: assignmentIdOf(row), correct, now }));

    async function given(playerId: string, now = NOW): Promise<AssignmentRow> {
      const decision = await claim(playerId, now);
      assert.ok(decision.kind === "assigned", `${playerId} gets ${decision.kind}`);
      return decision.row;
    }

    async function expire(now: number): Promise<Extract<ExpireDecision, { kind: "expired" }>> {
      const decision = await ledger.expire(hunt, now);
      assert.ok(decision.kind === "expired");
      return committed(decision);
    }

    const kindOf = async (playerId: string, now = NOW): Promise<string> => (await claim(playerId, now)).kind;

    /** Gives every answer that there is, all of them wrong. */
    async function useUp(playerId: string, row: AssignmentRow): Promise<SolveDecision> {
      for (let n = row.attemptsBefore + row.attemptsUsed + 1; n < hunt.rules.attempts; n += 1) {
        assert.equal((await solve(playerId, row, false, row.openedAt)).kind, "wrong");
      }
      return await solve(playerId, row, false, row.openedAt);
    }

    it("has attempts bind who guesses: the same prompt never comes with fresh ones", async () => {
      await begin(100, { points: [10], total: 100 });
      const first = await given("ann");
      assert.equal((await useUp("ann", first)).kind, "revoked");
      for (let round = 0; round < 2; round += 1) {
        assert.equal(await kindOf("ann"), "exhausted");
        await rebuild();
      }
      assert.equal(assignmentIdOf(await given("bob")), "0.2", "others get what she lost");
    });

    it("gives a template once to who solves it, also while its instances fill the pool", async () => {
      await begin(300);
      for (const template of [0, 1, 2]) {
        const row = await given("ann");
        assert.equal(row.instance % 3, template);
        assert.equal((await solve("ann", row, true)).kind, "solved");
        await rebuild();
      }
      assert.equal(await kindOf("ann"), "exhausted");
      assert.equal((await ledger.read(hunt, 1))?.top[0]?.points, 60);
      assert.equal((await given("bob")).instance, 3, "the lowest of all that is free");
    });

    it("gives a player each of the most templates that there may be once, and what others return of those before the rest", async () => {
      await begin(2 * MAX_TEMPLATES, { points: Array<number>(MAX_TEMPLATES).fill(1), total: 2 * MAX_TEMPLATES });
      const held = await Promise.all(Array.from({ length: 40 }, (_, n) => given(`p-${n}`)));
      for (const row of [held[35]!, held[3]!]) {
        const { playerId } = row;
        assert.equal(
          (await ledger.giveBack(hunt, { playerId, assignmentId: assignmentIdOf(row), now: NOW })).kind,
          "revoked",
        );
      }
      const expected = [3, 35, ...Array.from({ length: MAX_TEMPLATES }, (_, n) => n + 40)].map(
        (n) => n % MAX_TEMPLATES,
      );
      const distinct = [...new Set(expected)];
      const instances: number[] = [];
      for (const _ of distinct) {
        const row = await given("ann");
        instances.push(row.instance % MAX_TEMPLATES);
        assert.equal((await solve("ann", row, true)).kind, "solved");
      }
      assert.deepEqual(instances, distinct);
      assert.equal(await kindOf("ann"), "exhausted");
      await rebuild();
      assert.equal(await kindOf("ann"), "exhausted");
    });

    it("gives a repeatable template again to who has solved it, with all attempts each time", async () => {
      await begin(100, { points: [10, 20], repeatable: [true, false], total: 100 });
      assert.equal((await solve("ann", await given("ann"), true)).kind, "solved");
      assert.equal((await solve("ann", await given("ann"), true)).kind, "solved");
      for (let round = 0; round < 3; round += 1) {
        const row = await given("ann");
        assert.deepEqual([row.instance % 2, row.attemptsBefore], [0, 0]);
        assert.equal((await useUp("ann", row)).kind, "revoked");
        await rebuild();
      }
    });

    it("counts wrong answers over all assignments of a template, and gives no instance to who lost it", async () => {
      await begin(100, { points: [10], total: 100 });
      const seen: [number, number][] = [];
      let now = NOW;
      for (let round = 0; round < 3; round += 1) {
        const row = await given("ann", now);
        seen.push([row.instance, row.attemptsBefore]);
        const answer = await solve("ann", row, false, now);
        assert.equal(answer.kind, round < 2 ? "wrong" : "revoked");
        if (answer.kind === "wrong") assert.equal(answer.attemptsLeft, 2 - round);
        now += TTL_MS;
        await expire(now);
        await rebuild();
      }
      assert.deepEqual(seen, [
        [0, 0],
        [1, 1],
        [2, 2],
      ]);
      assert.equal(await kindOf("ann", now), "exhausted");
    });

    it("gives an instance again to who has not answered it", async () => {
      await begin(1, { points: [10], total: 1 });
      await given("ann");
      await expire(NOW + TTL_MS);
      const again = await given("ann", NOW + TTL_MS);
      assert.deepEqual([assignmentIdOf(again), again.attemptsBefore], ["0.2", 0]);
    });

    it("lets a player solve so many, and no more", async () => {
      await begin(300, { perPlayer: 2 });
      for (const _ of [1, 2]) await solve("ann", await given("ann"), true);
      await rebuild();
      assert.equal(await kindOf("ann"), "exhausted");
      assert.equal((await given("bob")).instance, 2);
    });

    it("has a player pause between clues, whatever became of the last one", async () => {
      await begin(300, { cooldownMs: 5000 });
      await solve("ann", await given("ann"), true);
      await rebuild();
      const early = await claim("ann", NOW + 4999);
      assert.ok(early.kind === "cooling");
      assert.equal(early.until, NOW + 5000);
      const row = await given("ann", NOW + 5000);
      await useUp("ann", row);
      assert.equal(await kindOf("ann", NOW + 5000), "cooling");
      assert.equal((await ledger.read(hunt, 1))?.waiting, 0);
    });

    it("serves the first in the queue who may have what is free, and passes over who may not", async () => {
      await begin(2, { attempts: 1, points: [10, 20], total: 2 });
      const [ann, bob] = [await given("ann"), await given("bob")];
      assert.equal(await kindOf("cid"), "waiting");
      await useUp("ann", ann);
      const wrong = await ledger.solve(hunt, { playerId: "bob", assignmentId: "1.1", correct: false, now: NOW });
      assert.ok(committed(wrong).kind === "revoked");
      // Ann may have what cid has no more, and nothing else; dot may have everything.
      assert.equal(bob.instance, 1);
      assert.equal((await given("ann")).instance, 1);
      assert.equal(await kindOf("bob"), "waiting");
      assert.equal(await kindOf("dot"), "waiting");
      const again = await useUp("ann", { ...ann, instance: 1, generation: 2 });
      assert.ok(again.kind === "revoked");
      assert.deepEqual(
        again.served.map(({ row }) => `${row.playerId} ${assignmentIdOf(row)}`),
        ["dot 1.3"],
        "bob, who came before, has lost it",
      );
      assert.equal((await ledger.read(hunt, 1))?.waiting, 1);
    });

    it("serves who may have it also behind thousands who may not, and looks at each of them once", async () => {
      const CROWD = 1300;
      await begin(0, { points: [10, 20], total: 10_000 });
      const closed = { attemptsBefore: 0, requestMarks: "", attemptsUsed: 1, outcome: OUTCOME.solved, closedAt: NOW };
      const base = (instance: number, playerId: string) => ({
        ...{ instance, generation: 1, playerId, playerName: playerId, openedAt: NOW, points: 0, solveSeq: 0 },
      });
      for (let n = 0; n < CROWD; n += 1) {
        const solved = { ...base(2 * n, `p-${n}`), ...closed, expiresAt: NOW + TTL_MS, points: 10, solveSeq: n + 1 };
        const held = { ...base(2 * n + 1, `h-${n}`), expiresAt: NOW + 9 * TTL_MS, closedAt: 0 };
        rows.set(`${2 * n}.1`, solved);
        rows.set(`${2 * n + 1}.1`, {
          ...held,
          attemptsBefore: 0,
          requestMarks: "",
          attemptsUsed: 0,
          outcome: OUTCOME.open,
        });
      }
      const last = {
        ...base(2 * CROWD, "ann"),
        expiresAt: NOW + TTL_MS,
        closedAt: 0,
        attemptsBefore: 0,
        requestMarks: "",
      };
      rows.set(`${2 * CROWD}.1`, { ...last, attemptsUsed: 0, outcome: OUTCOME.open });
      await rebuild();
      const kinds = await Promise.all(Array.from({ length: CROWD }, (_, n) => kindOf(`p-${n}`)));
      assert.deepEqual(new Set(kinds), new Set(["waiting"]));
      assert.equal(await kindOf("zoe"), "waiting");
      const served: string[] = [];
      for (let more = true, calls = 0; more; calls += 1) {
        const decision = await expire(NOW + TTL_MS);
        served.push(...decision.served.map(({ row }) => `${row.playerId} ${assignmentIdOf(row)}`));
        more = decision.more;
        assert.ok(calls < 4, "it comes to an end");
      }
      assert.deepEqual(served, [`zoe ${2 * CROWD}.2`]);
      assert.equal(await kindOf("ann", NOW + TTL_MS), "waiting");
      const again = await ledger.solve(hunt, {
        ...{ playerId: "zoe", assignmentId: `${2 * CROWD}.2`, correct: false, now: NOW + 3 * TTL_MS },
      });
      assert.ok(committed(again).kind === "revoked");
      const [next] = "served" in again ? again.served : [];
      assert.equal(next?.row.playerId, "ann", "nobody of the crowd is looked at again");
    });

    it("keeps a place for who has lost what is free, until another instance of it is", async () => {
      await begin(2, { points: [10], total: 2 });
      const lost = await given("ann");
      await solve("ann", lost, false);
      const other = await given("bob", NOW + 1);
      assert.equal(await kindOf("ann", NOW + TTL_MS), "waiting", "hers is free, bob has the other");
      const cid = await given("cid", NOW + TTL_MS);
      assert.equal(assignmentIdOf(cid), "0.2");
      const freed = await useUp("cid", cid);
      assert.ok(freed.kind === "revoked" && freed.served.length === 0, "she is offered what she has lost, in vain");
      const { served } = await expire(other.expiresAt);
      assert.deepEqual(
        served.map(({ row }) => `${row.playerId} ${assignmentIdOf(row)}`),
        ["ann 1.2"],
      );
    });

    it("tells who waits that nothing will be theirs once others have solved it all", async () => {
      await begin(2, { points: [10], total: 2 });
      const [ann, bob] = [await given("ann"), await given("bob")];
      assert.equal(await kindOf("cid"), "waiting");
      await solve("ann", ann, true);
      assert.equal(await kindOf("cid"), "waiting", "bob may lose his");
      await solve("bob", bob, true);
      assert.equal(await kindOf("cid"), "exhausted");
      assert.equal((await ledger.read(hunt, 1))?.waiting, 0);
      await rebuild();
      assert.equal(await kindOf("cid"), "exhausted");
    });
  });
}
