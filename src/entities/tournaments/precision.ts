/** A game's scores have at most so many digits after the point. */
export const MOST_DIGITS = 6;

/**
 * Scores, and what they come to, are kept as whole numbers of a game's **units** of 10^-precision, at most so many either way. Doubles
 * hold such numbers and the sum of any two of them exactly, and a decimal of 15 digits is one double and no other's.
 */
export const LARGEST_SCORE = 1e15;

/** The units of a score as clients write it; `undefined` for one with more digits after the point than `precision`. May be beyond `LARGEST_SCORE`. */
export function unitsOf(score: number, precision: number): number | undefined {
  const units = Math.round(score * 10 ** precision) + 0;
  // Beyond that, doubles are too far from each other for a remainder to be told: it is too large, whatever its digits.
  if (Math.abs(units) > LARGEST_SCORE) return units;
  return decimalOf(units, precision) === score ? units : undefined;
}

/** A score as clients read it: the double that is nearest to the decimal, which prints as the decimal. */
export function decimalOf(units: number, precision: number): number {
  return units / 10 ** precision;
}

/** Rows as clients read them. */
export function inDecimals<T extends { score: number }>(rows: readonly T[], precision: number): T[] {
  return rows.map((row) => ({ ...row, score: decimalOf(row.score, precision) }));
}
