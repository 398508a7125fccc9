import type { Clock } from "../../clock.ts";

interface Reading<T> {
  found: Promise<T>;
  hasBegun: boolean;
  endedAt: number | undefined;
  isOutdated: boolean;
}

export interface SharedReadPorts<T> {
  read: () => Promise<T>;
  clock: Pick<Clock, "now">;
  /** How long what was found counts from the end of its read on. */
  freshMs: number;
}

/** A read that everybody who asks shares. One is under way at a time, however long it takes. */
export class SharedRead<T> {
  readonly #ports: SharedReadPorts<T>;
  #last: Reading<T> | undefined;

  constructor(ports: SharedReadPorts<T>) {
    this.#ports = ports;
  }

  /** Rejects as the read does, of which nothing is kept. */
  get(): Promise<T> {
    if (this.#last && this.#counts(this.#last)) return this.#last.found;
    const reading: Omit<Reading<T>, "found"> = { hasBegun: false, endedAt: undefined, isOutdated: false };
    this.#last = Object.assign(reading, { found: this.#readAfter(this.#last?.found, reading) });
    return this.#last.found;
  }

  /** Who asks from now on learns of all that has happened before: a read that has begun counts for those alone who wait for it. */
  clear(): void {
    if (this.#last?.hasBegun) this.#last.isOutdated = true;
  }

  #counts({ endedAt, isOutdated }: Reading<T>): boolean {
    if (isOutdated) return false;
    if (endedAt === undefined) return true;
    const age = this.#ports.clock.now() - endedAt;
    return age >= 0 && age < this.#ports.freshMs;
  }

  async #readAfter(earlier: Promise<T> | undefined, reading: Omit<Reading<T>, "found">): Promise<T> {
    await earlier?.catch(() => {});
    reading.hasBegun = true;
    try {
      return await this.#ports.read();
    } catch (error) {
      reading.isOutdated = true;
      throw error;
    } finally {
      reading.endedAt = this.#ports.clock.now();
    }
  }
}
