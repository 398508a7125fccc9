import type { Clock } from "../clock.ts";

/** How long somebody whose connection was ended for flooding is kept out, in milliseconds. */
export const KEPT_OUT_MS = 30_000;
/** How many are remembered; the one who was kept out first is let in for another. */
const MOST_KEPT_OUT = 10_000;

/** Who is kept out of this node for a while: players, and addresses of those who are none. */
export class KeepOut {
  readonly #clock: Clock;
  /** Monotonic times of the end, in the order of these. */
  readonly #until = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(key: string): void {
    this.#until.delete(key);
    this.#until.set(key, this.#clock.monotonic() + KEPT_OUT_MS);
    if (this.#until.size > MOST_KEPT_OUT) this.#until.delete(this.#until.keys().next().value!);
  }

  /** For how many milliseconds more this key is kept out; 0 when it is not. */
  remainingMs(key: string): number {
    const until = this.#until.get(key);
    if (until === undefined) return 0;
    const remaining = until - this.#clock.monotonic();
    if (remaining > 0) return remaining;
    this.#until.delete(key);
    return 0;
  }
}
