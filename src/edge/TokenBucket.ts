import type { Clock } from "../clock.ts";

/** Allows `burst` at once and `perSecond` in the long run. Few numbers, so that each client can have its own. */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #clock: Clock;
  #tokens: number;
  #filledAt: number;

  constructor(perSecond: number, burst: number, clock: Clock) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#clock = clock;
    this.#tokens = burst;
    this.#filledAt = clock.monotonic();
  }

  /** Takes `cost` tokens; false, and nothing taken, when there are fewer. */
  take(cost = 1): boolean {
    this.#fill();
    if (this.#tokens < cost) return false;
    this.#tokens -= cost;
    return true;
  }

  /** Milliseconds until `cost` tokens are there, if nobody takes any meanwhile. */
  waitMs(cost = 1): number {
    this.#fill();
    return Math.max(0, ((cost - this.#tokens) / this.#perSecond) * 1000);
  }

  #fill(): void {
    const now = this.#clock.monotonic();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#filledAt) / 1000) * this.#perSecond);
    this.#filledAt = now;
  }
}
