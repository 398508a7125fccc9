import assert from "node:assert/strict";
import { isTimed, phaseAfter, phaseEndOf, planAfter } from "../../src/actors/tournaments/phases.ts";
import type { TournamentPhase } from "../../src/entities/tournaments/Tournament.ts";

const PLAN = { startsAt: 1000, endsAt: 5000, graceMs: 300 };

describe("the phases of a tournament", () => {
  it("follow each other, and a grace of no length is passed over", () => {
    assert.deepEqual(
      (["scheduled", "open", "grace"] as const).map((phase) => phaseAfter(phase, { graceMs: 1 })),
      ["open", "grace", "settling"],
    );
    assert.equal(phaseAfter("open", { graceMs: 0 }), "settling");
    assert.equal(phaseAfter("scheduled", { graceMs: 0 }), "open");
  });

  it("end by themselves at their time, or do not", () => {
    const ends = (["scheduled", "open", "grace", "settling", "settled", "cancelled"] as const).map(
      (phase): [TournamentPhase, number, boolean] => [phase, phaseEndOf(phase, PLAN), isTimed(phase)],
    );
    assert.deepEqual(ends, [
      ["scheduled", 1000, true],
      ["open", 5000, true],
      ["grace", 5300, true],
      ["settling", 0, false],
      ["settled", 0, false],
      ["cancelled", 0, false],
    ]);
  });

  it("keep to their plan when they are noticed late", () => {
    assert.deepEqual(planAfter("scheduled", PLAN, 4000), PLAN);
    assert.deepEqual(planAfter("open", PLAN, 9000), PLAN);
    assert.deepEqual(planAfter("grace", PLAN, 9000), PLAN);
  });

  it("begin now when the one before is ended early, and only the times that have passed are moved", () => {
    assert.deepEqual(planAfter("scheduled", PLAN, 400), { ...PLAN, startsAt: 400 });
    assert.deepEqual(planAfter("open", PLAN, 4000), { ...PLAN, endsAt: 4000 });
    assert.deepEqual(planAfter("grace", PLAN, 5100), PLAN, "the end of the time to play is not that of the grace");
  });
});
