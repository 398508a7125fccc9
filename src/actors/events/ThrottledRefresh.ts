import type { Clock } from "../../clock.ts";

/** How an event stands is read and broadcast at most four times a second. */
const LOOK_EVERY_MS = 250;

/** Looks at something that changes often, and not more often than anybody wants to see. */
export class ThrottledRefresh {
  readonly #clock: Clock;
  readonly #look: () => Promise<void>;
  readonly #everyMs: number;
  #cancel: (() => void) | undefined;
  #lastLook = Number.NEGATIVE_INFINITY;
  #isStopped = false;
  #isLooking = false;

  /** `look` must not reject. It begins at most once in `everyMs`. */
  constructor(clock: Clock, look: () => Promise<void>, everyMs = LOOK_EVERY_MS) {
    this.#clock = clock;
    this.#look = look;
    this.#everyMs = everyMs;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Whether something may have changed that no look has seen to its end. */
  get isBehind(): boolean {
    return this.#cancel !== undefined || this.#isLooking;
  }

  /** Something has changed: looks soon, unless a look is due anyway. */
  touch(): void {
    if (this.#cancel || this.#isStopped) return;
    const wait = Math.max(0, this.#lastLook + this.#everyMs - this.#clock.monotonic());
    this.#cancel = this.#clock.schedule(() => {
      this.#lastLook = this.#clock.monotonic();
      this.#cancel = undefined;
      this.#isLooking = true;
      void this.#look().finally(() => {
        this.#isLooking = false;
      });
    }, wait);
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
  }
}

/** What hot state tells of itself. */
export interface Versioned {
  /** The epoch of the hot state. */
  epoch: number;
  /** Grows within an epoch. */
  version: number;
}

/** Which of two views of hot state is the later one. */
export function isNewer(view: Versioned, than: Versioned | undefined): boolean {
  if (!than || view.epoch !== than.epoch) return !than || view.epoch > than.epoch;
  return view.version > than.version;
}
