import { RingmasterError } from "../errors.ts";

/** Waiters beyond this are refused: the embedded database serves one process, and a longer queue only hides that it is too slow. */
const LONGEST_QUEUE = 50_000;

/** Lets one user at a time into the embedded database, in order of arrival. */
export class WriterQueue {
  readonly #waiting: Array<() => void> = [];
  #busy = false;

  /** Resolves with the function that lets the next one in; call it exactly once. */
  enter(): Promise<() => void> {
    if (this.#waiting.length >= LONGEST_QUEUE)
      throw new RingmasterError("overloaded", "The database has too much work waiting.");
    return new Promise((resolve) => {
      const start = (): void => resolve(() => this.#leave());
      if (this.#busy) this.#waiting.push(start);
      else {
        this.#busy = true;
        start();
      }
    });
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    const leave = await this.enter();
    try {
      return await work();
    } finally {
      leave();
    }
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#busy = false;
  }
}
