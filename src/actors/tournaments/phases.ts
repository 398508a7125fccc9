import type { TournamentPhase } from "../../entities/tournaments/Tournament.ts";

/** A phase that ends by itself at a time that is known. */
export type TimedPhase = "scheduled" | "open" | "grace";

/** When a tournament begins and ends, in epoch milliseconds, and how long its grace is. */
export interface TournamentPlan {
  startsAt: number;
  endsAt: number;
  graceMs: number;
}

export function isTimed(phase: TournamentPhase): phase is TimedPhase {
  return phase === "scheduled" || phase === "open" || phase === "grace";
}

/** The phase that follows by itself; a grace of no length is passed over. */
export function phaseAfter(phase: TimedPhase, { graceMs }: Pick<TournamentPlan, "graceMs">): TournamentPhase {
  if (phase === "scheduled") return "open";
  return phase === "open" && graceMs > 0 ? "grace" : "settling";
}

/**
 * The plan once `phase` has ended at `now`. A phase begins when the one before it was to end, also when that is noticed late, so
 * that a tournament keeps to its plan: what an outage has wholly covered is passed through. Ended early, the next begins now.
 */
export function planAfter(phase: TimedPhase, plan: TournamentPlan, now: number): TournamentPlan {
  if (phase === "scheduled") return { ...plan, startsAt: Math.min(plan.startsAt, now) };
  return phase === "open" ? { ...plan, endsAt: Math.min(plan.endsAt, now) } : plan;
}

/** When a phase that has begun ends by itself; 0 for one that does not. */
export function phaseEndOf(phase: TournamentPhase, { startsAt, endsAt, graceMs }: TournamentPlan): number {
  if (phase === "scheduled") return startsAt;
  if (phase === "open") return endsAt;
  return phase === "grace" ? endsAt + graceMs : 0;
}
