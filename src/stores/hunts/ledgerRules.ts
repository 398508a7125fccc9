import { RingmasterError } from "../../errors.ts";
import type { AssignmentRow, LedgerRules } from "./ClueLedger.ts";

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

/** Players whose places in the queue one call tells at most: about 1 ms of Redis. */
export const MOST_POSITIONS = 1000;

/** A record of a player has a bit a template, and a decision looks at these 32 at a time. */
export const MAX_TEMPLATES = 500;

/** A row has room for the marks of so many requests. */
export const MAX_ATTEMPTS = 20;

/** What is wrong with the rules, or `undefined`. A hunt's definition must pass this before it is stored. */
export function ledgerRulesFault(rules: LedgerRules): string | undefined {
  const whole = (value: number, min: number): boolean => Number.isSafeInteger(value) && value >= min;
  if (!whole(rules.clueTtlMs, 1)) return "clueTtlMs must be a whole number of milliseconds, at least 1";
  if (!whole(rules.attempts, 1) || rules.attempts > MAX_ATTEMPTS) return `attempts must be 1 to ${MAX_ATTEMPTS}`;
  if (rules.points.length === 0) return "there must be at least one clue";
  if (rules.points.length > MAX_TEMPLATES) return `there may be at most ${MAX_TEMPLATES} clues`;
  if (!whole(rules.perPlayer ?? 1, 1)) return "perPlayer must be a whole number, at least 1";
  if (!whole(rules.cooldownMs ?? 0, 0)) return "cooldownMs must be a whole number of milliseconds";
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

/** Which template an instance is of. */
export function templateOf(rules: LedgerRules, instance: number): number {
  return instance % rules.points.length;
}

/** How many instances there will ever be of a template. */
export function instancesOf(rules: LedgerRules, template: number): number {
  return Math.max(0, Math.ceil((rules.total - template) / rules.points.length));
}

/** Whether a player who has solved this template may have it again. */
export function isRepeatable(rules: LedgerRules, template: number): boolean {
  return rules.repeatable?.[template] ?? false;
}

/** The points of an instance; 0 for one that no template has. */
export function pointsOf(rules: LedgerRules, instance: number): number {
  return rules.points[templateOf(rules, instance)] ?? 0;
}

/** How many answers the holder of this assignment has left to its template. */
export function attemptsLeftOf(
  rules: Pick<LedgerRules, "attempts">,
  { attemptsBefore, attemptsUsed }: Pick<AssignmentRow, "attemptsBefore" | "attemptsUsed">,
): number {
  return rules.attempts - attemptsBefore - attemptsUsed;
}
