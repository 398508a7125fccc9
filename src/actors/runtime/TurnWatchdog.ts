import type { Clock } from "../../clock.ts";

/** Calls `onLate` once work has run for `limitMs` in all, what it spends waiting for its place elsewhere not counted in. */
export class TurnWatchdog {
  readonly #clock: Clock;
  readonly #onLate: () => void;
  #leftMs: number;
  #since = 0;
  #cancel: (() => void) | undefined;
  #isOver = false;

  constructor(clock: Clock, limitMs: number, onLate: () => void) {
    this.#clock = clock;
    this.#leftMs = limitMs;
    this.#onLate = onLate;
    this.#run();
  }

  /** Stands still while `wait` is awaited. */
  async during<T>(wait: Promise<T>): Promise<T> {
    this.#pause();
    try {
      return await wait;
    } finally {
      this.#run();
    }
  }

  stop(): void {
    this.#isOver = true;
    this.#cancel?.();
  }

  #run(): void {
    if (this.#isOver) return;
    this.#since = this.#clock.monotonic();
    this.#cancel = this.#clock.schedule(this.#onLate, this.#leftMs);
  }

  #pause(): void {
    this.#cancel?.();
    this.#leftMs -= this.#clock.monotonic() - this.#since;
  }
}
