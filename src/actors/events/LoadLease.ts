/** Whoever loads hot state renews its lease this often. */
export const RENEW_EVERY_MS = 1000;
/** One that gets no answer is given up before the lease ends. */
export const RENEWAL = { deadlineMs: 1000 };
/** A lease that nobody renewed for this long is over: its loader has died. */
const LEASE_MS = 3000;

/**
 * In an actor's memory: who may load its hot state just now. It ends a while after its last renewal, also where the load has
 * ended well: who found the hot state missing before that shall not have it loaded once more.
 */
export class LoadLease {
  #renewedAt: number | undefined;

  /** `now` as the turn has it: a clock that was set back ends the lease, so that it cannot lock anybody out. */
  isHeld(now: number): boolean {
    return this.#renewedAt !== undefined && now >= this.#renewedAt && now - this.#renewedAt < LEASE_MS;
  }

  renew(now: number): void {
    this.#renewedAt = now;
  }
}
