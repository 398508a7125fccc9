import type { HuntPhase, SealedHunt } from "../../entities/hunts/Hunt.ts";

/** The durations that make a hunt's plan. */
export type HuntPlan = Pick<SealedHunt, "startsAt" | "discoveryMs" | "solvingMs" | "revealMs">;

/** A phase that ends by itself. */
export type TimedPhase = "scheduled" | "discovery" | "solving" | "reveal";

const ORDER: readonly HuntPhase[] = ["scheduled", "discovery", "solving", "reveal", "finished"];

/** How long each phase lasts once it has begun; `scheduled` lasts until its start instead. */
export function durationOf(phase: HuntPhase, plan: HuntPlan): number {
  switch (phase) {
    case "discovery":
      return plan.discoveryMs;
    case "solving":
      return plan.solvingMs;
    case "reveal":
      return plan.revealMs;
    default:
      return 0;
  }
}

export function isTimed(phase: HuntPhase): phase is TimedPhase {
  return phase !== "finished" && phase !== "cancelled";
}

/** The phase that follows; a discovery or a reveal of no length is passed over. */
export function phaseAfter(phase: TimedPhase, plan: HuntPlan): HuntPhase {
  for (let at = ORDER.indexOf(phase) + 1; ; at++) {
    const next = ORDER[at]!;
    if (next === "finished" || next === "solving" || durationOf(next, plan) > 0) return next;
  }
}

/** When the whole hunt is over, if the running phase ends at `phaseEndsAt`. */
export function huntEndsAt(phase: HuntPhase, phaseEndsAt: number, plan: HuntPlan): number {
  if (!isTimed(phase)) return phaseEndsAt;
  const rest = ORDER.slice(ORDER.indexOf(phase) + 1).reduce((sum, later) => sum + durationOf(later, plan), 0);
  return phaseEndsAt + rest;
}
