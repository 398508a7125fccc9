import assert from "node:assert/strict";
import {
  durationOf,
  type HuntPlan,
  huntEndsAt,
  isTimed,
  phaseAfter,
  type TimedPhase,
} from "../../src/actors/hunts/phases.ts";
import type { HuntPhase } from "../../src/entities/hunts/Hunt.ts";

const FULL: HuntPlan = { startsAt: 1000, discoveryMs: 10, solvingMs: 200, revealMs: 30 };

describe("the phases of a hunt", () => {
  const following: [string, HuntPlan, HuntPhase[]][] = [
    ["all of them", FULL, ["scheduled", "discovery", "solving", "reveal", "finished"]],
    ["no discovery", { ...FULL, discoveryMs: 0 }, ["scheduled", "solving", "reveal", "finished"]],
    ["no reveal", { ...FULL, revealMs: 0 }, ["scheduled", "discovery", "solving", "finished"]],
    ["neither", { ...FULL, discoveryMs: 0, revealMs: 0 }, ["scheduled", "solving", "finished"]],
  ];
  for (const [name, plan, phases] of following) {
    it(`follow each other, those of no length passed over: ${name}`, () => {
      const seen: HuntPhase[] = ["scheduled"];
      for (let phase: HuntPhase = "scheduled"; isTimed(phase); seen.push(phase)) phase = phaseAfter(phase, plan);
      assert.deepEqual(seen, phases);
    });
  }

  it("last as long as planned; what is not timed has no length", () => {
    const phases: HuntPhase[] = ["scheduled", "discovery", "solving", "reveal", "finished", "cancelled"];
    assert.deepEqual(
      phases.map((phase) => [phase, durationOf(phase, FULL), isTimed(phase)]),
      [
        ["scheduled", 0, true],
        ["discovery", 10, true],
        ["solving", 200, true],
        ["reveal", 30, true],
        ["finished", 0, false],
        ["cancelled", 0, false],
      ],
    );
  });

  const ends: [HuntPhase, number, number][] = [
    ["scheduled", 1000, 1240],
    ["discovery", 1010, 1240],
    ["solving", 1210, 1240],
    ["solving", 5000, 5030],
    ["reveal", 1240, 1240],
    ["finished", 1240, 1240],
    ["cancelled", 1100, 1100],
  ];
  for (const [phase, phaseEndsAt, endsAt] of ends) {
    it(`tell when the hunt is over: ${phase} until ${phaseEndsAt}`, () => {
      assert.equal(huntEndsAt(phase, phaseEndsAt, FULL), endsAt);
    });
  }

  it("end at the same moment from whichever phase it is told, when every one keeps to the plan", () => {
    let endsAt = FULL.startsAt;
    for (let phase: HuntPhase = "scheduled"; isTimed(phase); ) {
      assert.equal(huntEndsAt(phase, endsAt, FULL), 1240);
      phase = phaseAfter(phase as TimedPhase, FULL);
      endsAt += durationOf(phase, FULL);
    }
  });
});
