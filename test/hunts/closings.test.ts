import assert from "node:assert/strict";
import { CommittedAssignments } from "../../src/actors/hunts/CommittedAssignments.ts";
import { type AssignmentRow, OUTCOME, type Outcome } from "../../src/stores/hunts/ClueLedger.ts";

function row(playerId: string, instance: number, outcome: Outcome): AssignmentRow {
  const times = { openedAt: 1, expiresAt: 9, closedAt: outcome === OUTCOME.open ? 0 : 5 };
  return {
    instance,
    generation: 1,
    playerId,
    playerName: playerId,
    ...times,
    attemptsBefore: 0,
    requestMarks: "",
    attemptsUsed: 1,
    outcome,
    points: 0,
    solveSeq: 0,
  };
}

describe("the closings that a node has committed", () => {
  const solved = row("ann", 1, OUTCOME.solved);
  const next = row("ann", 2, OUTCOME.open);
  let closings: CommittedAssignments;

  beforeEach(() => {
    closings = new CommittedAssignments();
  });

  it("need not be committed again with the next claim", () => {
    closings.committed([solved]);
    assert.deepEqual(closings.outstanding([solved, next]), [next]);
  });

  it("are committed by who has not done so: another node's, or another assignment's", () => {
    closings.committed([row("ann", 0, OUTCOME.solved), row("bob", 1, OUTCOME.expired)]);
    assert.deepEqual(closings.outstanding([solved, next]), [solved, next]);
  });

  it("never stand for an assignment that is open", () => {
    closings.committed([next]);
    assert.deepEqual(closings.outstanding([next]), [next]);
  });

  it("are committed all the same when there is nothing else: that asks whether the epoch holds", () => {
    closings.committed([solved]);
    assert.deepEqual(closings.outstanding([solved]), [solved]);
  });

  it("are forgotten with the next clue", () => {
    closings.committed([solved]);
    closings.committed([next]);
    assert.deepEqual(closings.outstanding([solved, next]), [solved, next]);
  });
});
