import { RingmasterError } from "../../errors.ts";

/** What one name may have waiting. */
const MOST_WAITING = 16;

interface Line {
  last: Promise<unknown>;
  length: number;
}

/** Does what is asked for under one name one after another. */
export class KeyedMutex {
  readonly #lines = new Map<string, Line>();

  /** Rejects with `overloaded` at once when too much waits under this name. */
  async do<T>(name: string, work: () => Promise<T>): Promise<T> {
    const line = this.#lines.get(name) ?? { last: Promise.resolve(), length: 0 };
    if (line.length > MOST_WAITING) throw new RingmasterError("overloaded", "Too much of yours is under way.");
    this.#lines.set(name, line);
    line.length += 1;
    const done = line.last.then(work);
    line.last = done.catch(() => {});
    try {
      return await done;
    } finally {
      line.length -= 1;
      if (line.length === 0) this.#lines.delete(name);
    }
  }
}
