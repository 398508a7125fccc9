import type { Clock } from "../../clock.ts";

/** A suspect that takes longer lets the next one in: it may merely be slow, or wait for another one. */
const LONGEST_STAY_MS = 1000;

/**
 * Lets suspected actors run one at a time on a node: should the process die, it died in the hands of the one that was inside.
 * All at once, as they would after an adoption, most would be in a turn and look guilty.
 */
export class SuspectGate {
  readonly #clock: Clock;
  #last: Promise<void> = Promise.resolve();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async pass<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#last;
    const { promise, resolve: leave } = Promise.withResolvers<void>();
    this.#last = promise;
    await before;
    const cancel = this.#clock.schedule(leave, LONGEST_STAY_MS);
    try {
      return await work();
    } finally {
      cancel();
      leave();
    }
  }
}
