import { LARGEST_SCORE } from "../../entities/tournaments/precision.ts";
import type { Order, ScoreOperator, TournamentTerms } from "../../entities/tournaments/Tournament.ts";

/** A score, and what decides between equal ones. */
export interface Result {
  /** A whole number of the game's units, at most `LARGEST_SCORE` either way. */
  score: number;
  /** A whole number, at most `LARGEST_SUBSCORE` either way. */
  subscore: number;
}

/** Subscores of 5,000,000 entries sum to less than 2^52, so that the board can sort them exactly. */
export const LARGEST_SUBSCORE = 2 ** 29;

/** Whether `a` ranks before `b`: by score, then by subscore, both in the same order. Equal ones rank by who came first. */
export function isBetter(a: Result, b: Result, order: Order): boolean {
  const difference = a.score === b.score ? a.subscore - b.subscore : a.score - b.score;
  return order === "desc" ? difference > 0 : difference < 0;
}

/**
 * What counts for a player once `entry` has been added to `before`.
 * `best`: the best entry. `last`: the last one. `sum`: all of them together. `increment`: each is a step, up or down, of one
 * running score that stays within the game's bounds.
 */
export function combine(operator: ScoreOperator, order: Order, before: Result | undefined, entry: Result): Result {
  if (before === undefined) return entry;
  switch (operator) {
    case "best":
      return isBetter(entry, before, order) ? entry : before;
    case "last":
      return entry;
    case "sum":
    case "increment":
      return { score: before.score + entry.score, subscore: before.subscore + entry.subscore };
  }
}

/** What must be within the game's bounds: each entry, or for `increment` what comes of it. A sum must stay exact. */
export function isWithinBounds(
  { operator, minScore, maxScore }: Pick<TournamentTerms, "operator" | "minScore" | "maxScore">,
  entry: Result,
  after: Result,
): boolean {
  const { score } = operator === "increment" ? after : entry;
  return score >= minScore && score <= maxScore && Math.abs(after.score) <= LARGEST_SCORE;
}

/** Whether a step of an `increment`, as clients write it, may be made at all; what comes of it has bounds of its own. */
export function isStep(
  {
    minStep = Number.NEGATIVE_INFINITY,
    maxStep = Number.POSITIVE_INFINITY,
  }: Pick<TournamentTerms, "minStep" | "maxStep">,
  step: number,
): boolean {
  return step >= minStep && step <= maxStep;
}
