import { createHistogram } from "node:perf_hooks";

/** Milliseconds, to three digits. All are 0 when nothing was recorded. */
export interface LatencySummary {
  count: number;
  p50: number;
  p90: number;
  p99: number;
  max: number;
}

const MICROSECONDS = 1000;
/** Ten minutes: nothing that is measured here waits longer. */
const LONGEST = 600_000 * MICROSECONDS;

/**
 * Durations in a histogram of high dynamic range: however many are recorded, they take the same memory, and each is known to
 * three digits.
 */
export class Latencies {
  readonly #histogram = createHistogram({ lowest: 1, highest: LONGEST, figures: 3 });

  record(ms: number): void {
    this.#histogram.record(Math.min(LONGEST, Math.max(1, Math.round(ms * MICROSECONDS))));
  }

  summary(): LatencySummary {
    const { count, max } = this.#histogram;
    if (count === 0) return { count, p50: 0, p90: 0, p99: 0, max: 0 };
    const at = (percentile: number): number => digits(this.#histogram.percentile(percentile) / MICROSECONDS);
    return { count, p50: at(50), p90: at(90), p99: at(99), max: digits(max / MICROSECONDS) };
  }
}

function digits(ms: number): number {
  return Number(ms.toPrecision(3));
}
