import type { Clock } from "../../clock.ts";
import { failureOf } from "../../entities/failures.ts";

/** An actor that could not be taken over is left to the peers for this long, the next time for twice as long, up to the longest. */
const FIRST_WAIT_MS = 10_000;
const LONGEST_WAIT_MS = 600_000;
/** Where the database did not answer and no actor has arrived since: that may be its outage, and nobody else tells when it is over. */
const LONGEST_UNANSWERED_MS = 120_000;
/** How long after the last one that the database did not answer for another one is tried, where nothing but that happens. */
const PROBE_AFTER_MS = 5000;

/**
 * Actors that could not be brought to life on this node, which are left to the others for a while.
 *
 * Where the database does not answer, that may be the actor's row or the database. It is the database if several are left and none
 * arrives: then one after the other is tried before its time. Once one arrives, all are wanted that were left more than once since
 * the last one did. Their pauses go on growing, so that a row that never can be taken over costs ever less whatever becomes of others.
 */
export class LeftActors {
  readonly #clock: Clock;
  /** By key; `until` is monotonic, `arrivals` how many had arrived by then. */
  readonly #left = new Map<string, { until: number; waitMs: number; arrivals: number }>();
  /** How often the database did not answer for which since an actor last arrived; the one tried longest ago first. */
  readonly #unanswered = new Map<string, number>();
  #triedAt = Number.NEGATIVE_INFINITY;
  /** How many actors have come to life here. */
  #arrivals = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether this node leaves it to the others now. */
  isLeft(key: string): boolean {
    return (this.#left.get(key)?.until ?? 0) > this.#clock.monotonic();
  }

  /** Returns for how many milliseconds. */
  leave(key: string, error: unknown): number {
    const isFault = failureOf(error) === "fault";
    const before = this.#left.get(key);
    const mayBeOutage = !isFault && before?.arrivals === this.#arrivals;
    const longest = mayBeOutage ? LONGEST_UNANSWERED_MS : LONGEST_WAIT_MS;
    const waitMs = Math.min(longest, 2 * (before?.waitMs ?? FIRST_WAIT_MS / 2));
    this.#left.set(key, { until: this.#clock.monotonic() + waitMs, waitMs, arrivals: this.#arrivals });
    if (!isFault) this.#tried(key, (this.#unanswered.get(key) ?? 0) + 1);
    return waitMs;
  }

  /** An actor has come to life here. */
  arrived(key: string): void {
    this.#arrivals += 1;
    this.#left.delete(key);
    for (const [other, times] of this.#unanswered) if (times > 1) this.#want(other);
    this.#unanswered.clear();
  }

  /** Has one tried before its time where that tells whether the database is back. */
  probe(): void {
    if (this.#unanswered.size < 2 || this.#clock.monotonic() - this.#triedAt < PROBE_AFTER_MS) return;
    const [key, times] = this.#unanswered.entries().next().value!;
    this.#want(key);
    this.#tried(key, times);
  }

  #tried(key: string, times: number): void {
    this.#triedAt = this.#clock.monotonic();
    this.#unanswered.delete(key);
    this.#unanswered.set(key, times);
  }

  #want(key: string): void {
    const left = this.#left.get(key);
    if (left) left.until = this.#clock.monotonic();
  }
}
