import { RingmasterError } from "../../errors.ts";
import type { LedgerRules } from "./ClueLedger.ts";

/**
 * A player's place is one double in Redis: `points × 2^24 + (2^24 − 1 − solveSeq)`. Doubles are exact up to 2^53, which leaves
 * 29 bits for points, and 24 for the order of solves, of which there are never more than instances.
 */
export const MAX_INSTANCES = 2 ** 24 - 1;
/** The most that all instances of a hunt together may be worth. */
export const MAX_TOTAL_POINTS = 2 ** 29 - 1;
/**
 * How many assignments one call of `expire` revokes, and one step of `issue` serves, at most: about 5 ms of Redis,
 * which serves nobody else meanwhile.
 */
export const LEDGER_STEP = 512;

/** What is wrong with the rules, or `undefined`. A hunt's definition must pass this before it is stored. */
export function ledgerRulesFault(rules: LedgerRules): string | undefined {
  const whole = (value: number, min: number): boolean => Number.isSafeInteger(value) && value >= min;
  if (!whole(rules.clueTtlMs, 1)) return "clueTtlMs must be a whole number of milliseconds, at least 1";
  if (!whole(rules.attempts, 1)) return "attempts must be a whole number, at least 1";
  if (rules.points.length === 0) return "there must be at least one clue";
  // A solve without points would change who reached a score first, which the order of solves could then not tell.
  if (!rules.points.every((points) => whole(points, 1))) return "points must be whole numbers, at least 1";
  if (!whole(rules.total, 1) || rules.total > MAX_INSTANCES) return `there may be 1 to ${MAX_INSTANCES} instances`;
  const repeats = Math.ceil(rules.total / rules.points.length);
  const worth = rules.points.reduce((sum, points) => sum + points, 0) * repeats;
  return worth > MAX_TOTAL_POINTS ? `all instances together may be worth ${MAX_TOTAL_POINTS} points` : undefined;
}

/** Throws `invalid_payload` for rules that the ledger cannot keep. */
export function assertLedgerRules(rules: LedgerRules): void {
  const fault = ledgerRulesFault(rules);
  if (fault !== undefined) throw new RingmasterError("invalid_payload", `The hunt's rules: ${fault}.`);
}

/** The points of an instance; 0 for one that no template has. */
export function pointsOf(rules: LedgerRules, instance: number): number {
  return rules.points[instance % rules.points.length] ?? 0;
}
