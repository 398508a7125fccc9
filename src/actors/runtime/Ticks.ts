import type { Clock } from "../../clock.ts";
import { RingmasterError } from "../../errors.ts";

/** What one activation has ticking at once. */
const MOST_TICKS = 16;

type Work = () => Promise<unknown>;

/** What an actor does again and again while it lives here, for which no timer is stored. */
export class Ticks {
  readonly #key: string;
  readonly #clock: Pick<Clock, "schedule">;
  /** Has a turn do this; `settle` is called when it is over. */
  readonly #enqueue: (work: Work, settle: () => void) => void;
  /** Each stops what it stands for. */
  readonly #running = new Set<() => void>();

  constructor(key: string, clock: Pick<Clock, "schedule">, enqueue: (work: Work, settle: () => void) => void) {
    this.#key = key;
    this.#clock = clock;
    this.#enqueue = enqueue;
  }

  /** Has a turn do `work` each `everyMs` from now on, counted from the end of the one before; the returned function stops that. */
  start(everyMs: number, work: Work): () => void {
    if (!(everyMs > 0)) throw new Error(`${everyMs} ms is not a period`);
    if (this.#running.size >= MOST_TICKS)
      throw new RingmasterError("overloaded", `${this.#key} has ${MOST_TICKS} ticks.`);
    let cancel: () => void;
    const stop = (): void => {
      this.#running.delete(stop);
      cancel();
    };
    const arm = (): void => {
      cancel = this.#clock.schedule(() => this.#enqueue(work, () => this.#running.has(stop) && arm()), everyMs);
    };
    arm();
    this.#running.add(stop);
    return stop;
  }

  stop(): void {
    for (const stop of this.#running) stop();
  }
}
