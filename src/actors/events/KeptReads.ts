import type { Clock } from "../../clock.ts";
import { RingmasterError } from "../../errors.ts";

/** Results that are kept. */
const MOST_KEPT = 100;
/** For so long what an event that goes on has come to is not read again, in milliseconds. */
const KEPT_MS = 5000;
/** Reads that wait for the one under way. */
const MOST_WAITING = 100;

/**
 * Reads that go through all that an event holds, for whoever asks: each is made once for all who ask, and not again for a while, or
 * ever where the event is over; and one at a time, so that they take one connection however many ask.
 */
export class KeptReads<T> {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #kept = new Map<string, { result: Promise<T>; at: number }>();
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** What `read` has found under this key. Rejects with what it rejects with, and with `overloaded` while too many others wait. */
  get(name: string, isOver: boolean, read: () => Promise<T>): Promise<T> {
    const now = this.#clock.monotonic();
    const key = `${isOver} ${name}`;
    const kept = this.#kept.get(key);
    if (kept && (isOver || now - kept.at < KEPT_MS)) return kept.result;
    if (this.#waiting >= MOST_WAITING) return Promise.reject(new RingmasterError("overloaded"));
    const result = this.#inTurn(read);
    this.#kept.delete(key);
    this.#kept.set(key, { result, at: now });
    result.catch(() => {
      if (this.#kept.get(key)?.result === result) this.#kept.delete(key);
    });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MOST_KEPT) this.#kept.delete(oldest!);
    return result;
  }

  #inTurn(read: () => Promise<T>): Promise<T> {
    this.#waiting += 1;
    const result = this.#last.then(read).finally(() => {
      this.#waiting -= 1;
    });
    this.#last = result.catch(() => undefined);
    return result;
  }
}
