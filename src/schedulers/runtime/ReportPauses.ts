import type { Clock } from "../../clock.ts";
import { toRingmasterError } from "../../errors.ts";

const FIRST_MS = 100;
/** The longest pause where the actor's own turn fails. */
const LONGEST_OWN_MS = 3_600_000;
/** The longest pause where the actor or the database cannot be reached: this, or a tenth of how long that has lasted, up to ten minutes. */
const LONGEST_WAY_MS = 30_000;
const LONGEST_OLD_WAY_MS = 600_000;
/** What says that nobody had it in hand, or that nobody knows. */
const ON_THE_WAY: ReadonlySet<string> = new Set(["unavailable", "not_delivered", "outcome_unknown", "overloaded"]);

/**
 * How long to wait before how an attempt ended is reported again: ever longer. What fails in the actor's turn is counted apart from what
 * fails on the way, so that an outage delays nothing beyond its end.
 */
export class ReportPauses {
  readonly #clock: Clock;
  readonly #since: number;
  #own = 0;
  #onTheWay = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock.monotonic();
  }

  /** After a further failure: the pause in milliseconds, and how many failures there have been. */
  next(error: unknown): { waitMs: number; failures: number } {
    const isOnTheWay = ON_THE_WAY.has(toRingmasterError(error).code);
    if (isOnTheWay) this.#onTheWay += 1;
    else this.#own += 1;
    const waitMs = isOnTheWay ? doubled(this.#onTheWay, this.#longestOnTheWay) : doubled(this.#own, LONGEST_OWN_MS);
    return { waitMs, failures: this.#own + this.#onTheWay };
  }

  get #longestOnTheWay(): number {
    const age = this.#clock.monotonic() - this.#since;
    return Math.max(LONGEST_WAY_MS, Math.min(LONGEST_OLD_WAY_MS, age / 10));
  }
}

const doubled = (failures: number, most: number): number => Math.min(most, FIRST_MS * 2 ** Math.min(failures - 1, 30));
