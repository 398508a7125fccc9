import assert from "node:assert/strict";
import { answerBy, assignmentIdOf, requestMarkOf, withMark } from "../../src/stores/hunts/assignments.ts";
import {
  type AssignmentRow,
  type ClueLedger,
  type HuntKey,
  OUTCOME,
  type SolveDecision,
} from "../../src/stores/hunts/ClueLedger.ts";
import { freshHunt, LEDGERS, type OpenLedger } from "./ledgers.ts";

const NOW = 1_700_000_000_000;

describe("the marks of requests", () => {
  it("tell which answer came by which request, also among such as had none", () => {
    const [first, third] = [requestMarkOf("first"), requestMarkOf("third")];
    const requestMarks = withMark(withMark(withMark("", 1, first), 2, ""), 3, third);
    assert.deepEqual([answerBy({ requestMarks }, first), answerBy({ requestMarks }, third)], [1, 3]);
    for (const mark of ["", requestMarkOf("second")]) assert.equal(answerBy({ requestMarks }, mark), undefined);
    assert.equal(withMark("", 1, ""), "");
  });

  it("grow in such a way that the later of two is the greater text", () => {
    let marks = "";
    for (const [at, id] of ["a", undefined, "b", "c", undefined, undefined, "d"].entries()) {
      const more = withMark(marks, at + 1, requestMarkOf(id));
      assert.ok(more === marks || (more > marks && more.startsWith(marks)));
      marks = more;
    }
  });
});

for (const { name, open } of LEDGERS) {
  describe(`${name}, asked again`, () => {
    let opened: OpenLedger;
    let ledger: ClueLedger;
    let hunt: HuntKey;

    before(async () => {
      opened = await open();
      ledger = opened.ledger;
    });
    after(() => opened.close());
    beforeEach(async () => {
      hunt = freshHunt();
      await ledger.load(hunt, { epoch: 1, issued: 9, rows: [] });
    });
    afterEach(() => ledger.drop(hunt));

    async function given(): Promise<AssignmentRow> {
      const decision = await ledger.claim(hunt, { playerId: "ann", playerName: "Ann", nodeId: "n1", now: NOW });
      assert.ok(decision.kind === "assigned");
      return decision.row;
    }

    const solve = (row: AssignmentRow, correct: boolean, requestId?: string, now = NOW): Promise<SolveDecision> =>
      ledger.solve(hunt, { playerId: "ann", assignmentId: assignmentIdOf(row), correct, requestId, now });

    async function reload(row: AssignmentRow): Promise<void> {
      await opened.wipe();
      await ledger.load(hunt, { epoch: 2, issued: 9, rows: [row] });
    }

    it("counts a wrong answer once, whatever is asked between, and at once with itself", async () => {
      const row = await given();
      const [first, again] = await Promise.all([solve(row, false, "x"), solve(row, false, "x")]);
      assert.ok(first.kind === "wrong" && first.attemptsLeft === 2);
      assert.deepEqual(again, first);
      const second = await solve(row, false, "y");
      assert.ok(second.kind === "wrong" && second.attemptsLeft === 1);
      const late = await solve(row, true, "x", row.expiresAt);
      assert.ok(late.kind === "wrong" && late.attemptsLeft === 2 && late.row.outcome === OUTCOME.open);
    });

    it("knows the first answer also once the assignment is closed, and after it was loaded anew", async () => {
      const row = await given();
      await solve(row, false);
      const wrong = await solve(row, false, "x");
      const right = await solve(row, true, "y");
      assert.ok(wrong.kind === "wrong" && right.kind === "solved");
      for (const _ of ["kept", "loaded"]) {
        const again = await solve(row, true, "x");
        assert.ok(again.kind === "wrong");
        assert.deepEqual([again.attemptsLeft, again.total], [1, 0]);
        const solved = await solve(row, false, "y");
        assert.ok(solved.kind === "solved" && solved.total === 10);
        await reload(right.row);
      }
    });

    it("has the last wrong answer take the clue away, and says so again", async () => {
      const row = await given();
      for (const id of ["x", "y"]) await solve(row, false, id);
      const last = await solve(row, false, "z");
      assert.ok(last.kind === "revoked" && last.row.outcome === OUTCOME.exhausted);
      for (const _ of ["kept", "loaded"]) {
        assert.equal((await solve(row, false, "z")).kind, "revoked");
        const first = await solve(row, false, "x");
        assert.ok(first.kind === "wrong" && first.attemptsLeft === 2);
        await reload(last.row);
      }
    });
  });
}
