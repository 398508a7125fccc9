import type { Clock } from "../../clock.ts";

/** A wall clock that is off by more than this is not believed. */
export const MOST_OFF_MS = 2000;
/** An answer that took longer says too little about the time at which it was given. */
const LONGEST_ROUND_TRIP_MS = 1000;
/** Two measurements that differ by less than this say the same. */
const SAME_MS = 500;
/** So many measurements in a row make believe that time has made a leap that neither of this node's clocks has seen. */
const LEAP_AFTER = 3;

/** One exchange with the shared memory, by this node's monotonic clock. */
export interface TimeSample {
  sentAt: number;
  receivedAt: number;
  /** What the shared memory's clock said meanwhile, in epoch milliseconds. */
  at: number;
  /** How far the other nodes' wall clocks are from the shared memory's, as they measured it themselves. */
  others: readonly number[];
}

/**
 * A node's clock, checked against the cluster's time with each beat.
 *
 * The cluster's time is what most clocks agree on, the shared memory's being one of them: so a node whose wall clock is off does not
 * count, and neither does a shared memory that has moved to a machine whose clock is. Between measurements it goes on by the
 * monotonic clock, so that a wall clock that jumps is noticed with the next look at it. `now()` is the wall clock as long as that is
 * within `MOST_OFF_MS` of the cluster's time, and the cluster's time otherwise. Until there is a measurement (there is none in a
 * process alone), it is the wall clock.
 */
export class CheckedClock implements Clock {
  readonly #base: Clock;
  /** The cluster's time at a moment of the monotonic clock. */
  #known: { time: number; monotonic: number } | undefined;
  /** Measurements in a row that tell of the same leap, and how far it is. */
  #leap = { ms: 0, times: 0 };
  #measuredOffMs = 0;

  constructor(base: Clock) {
    this.#base = base;
  }

  now(): number {
    const wall = this.#base.now();
    const time = this.#timeAt(this.#base.monotonic());
    return time === undefined || Math.abs(wall - time) <= MOST_OFF_MS ? wall : Math.round(time);
  }

  monotonic(): number {
    return this.#base.monotonic();
  }

  schedule(callback: () => void, ms: number): () => void {
    return this.#base.schedule(callback, ms);
  }

  /** How far the wall clock is ahead of the cluster's time, in milliseconds; 0 while that is not known. */
  get offMs(): number {
    const time = this.#timeAt(this.#base.monotonic());
    return time === undefined ? 0 : this.#base.now() - time;
  }

  get isOff(): boolean {
    return Math.abs(this.offMs) > MOST_OFF_MS;
  }

  /** How far the wall clock is ahead of the shared memory's, in milliseconds, as last measured: what the other nodes are told. */
  get measuredOffMs(): number {
    return this.#measuredOffMs;
  }

  /** Learns the time from an exchange with the shared memory. */
  learn({ sentAt, receivedAt, at, others }: TimeSample): void {
    if (receivedAt - sentAt > LONGEST_ROUND_TRIP_MS) return;
    const monotonic = (sentAt + receivedAt) / 2;
    const wall = this.#base.now() - (this.#base.monotonic() - monotonic);
    const expected = this.#timeAt(monotonic);
    this.#measuredOffMs = wall - at;
    const time = at + median([0, wall - at, ...others], (expected ?? at) - at);
    if (this.#isBelievable(time, wall, expected)) this.#known = { time, monotonic };
  }

  #timeAt(monotonic: number): number | undefined {
    return this.#known && this.#known.time + (monotonic - this.#known.monotonic);
  }

  /** A time that nothing of this node's supports is believed once it has been measured several times. */
  #isBelievable(time: number, wall: number, expected: number | undefined): boolean {
    const leapMs = expected === undefined ? 0 : time - expected;
    const isSupported = Math.abs(leapMs) <= SAME_MS || Math.abs(time - wall) <= SAME_MS;
    const isAgain = Math.abs(leapMs - this.#leap.ms) <= SAME_MS;
    this.#leap = { ms: leapMs, times: isSupported ? 0 : isAgain ? this.#leap.times + 1 : 1 };
    return isSupported || this.#leap.times >= LEAP_AFTER;
  }
}

/** The middle one; of two in the middle, the one nearer to `hint`. */
function median(numbers: readonly number[], hint: number): number {
  const sorted = numbers.toSorted((one, other) => one - other);
  const [low, high] = [sorted[(sorted.length - 1) >> 1]!, sorted[sorted.length >> 1]!];
  return Math.abs(low - hint) <= Math.abs(high - hint) ? low : high;
}
