/** As many digits as a game's scores may have after the point. */
const MOST_DIGITS = 6;

/** Points or a score for people to read, all of its digits. */
export function pointsText(points: number): string {
  return points.toLocaleString("en", { maximumFractionDigits: MOST_DIGITS });
}
