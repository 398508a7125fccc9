import { seededRng } from "../../src/clock.ts";

/** One quantile beside another of the same, in the unit of what was measured. */
export interface QuantileRatio {
  of: number;
  beside: number;
  ratio: number;
  /** Between these is the ratio in nine of ten draws of as many rounds from those that there were. */
  from: number;
  to: number;
}

const DRAWS = 400;
const SEED = 1;

/**
 * How a quantile of all rounds' values compares with that of others. A quantile near the end hangs on few moments, so that it differs from
 * round to round by several times: the bounds say how far the rounds that were measured let one be sure (a bootstrap by rounds).
 */
export function quantileRatio(of: readonly number[][], beside: readonly number[][], quantile: number): QuantileRatio {
  const rng = seededRng(SEED);
  const drawn = (rounds: readonly number[][]): number[] =>
    rounds.flatMap(() => rounds[Math.floor(rng.next() * rounds.length)]!);
  const ratios = Array.from(
    { length: DRAWS },
    () => quantileOf(drawn(of), quantile) / quantileOf(drawn(beside), quantile),
  ).sort((a, b) => a - b);
  const [top, bottom] = [quantileOf(of.flat(), quantile), quantileOf(beside.flat(), quantile)];
  return {
    of: top,
    beside: bottom,
    ratio: top / bottom,
    from: ratios[Math.floor(DRAWS * 0.05)]!,
    to: ratios[Math.floor(DRAWS * 0.95)]!,
  };
}

/** Of values in any order; 0 of none. */
function quantileOf(values: readonly number[], quantile: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * quantile))] ?? 0;
}
