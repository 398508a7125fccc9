import type { Clock } from "../../clock.ts";
import type { ClueLedger, LedgerView } from "../../stores/hunts/ClueLedger.ts";
import type { Log } from "../runtime/ports.ts";
import type { HuntView } from "./HuntView.ts";

/** Standings and counts are read and broadcast at most four times a second. */
const VIEW_EVERY_MS = 250;
/** Rows of the standings that everybody sees. */
export const TOP = 10;
/** An expiry that could not be handled is tried again after this. */
const RETRY_MS = 1000;

export interface LedgerRefreshPorts {
  ledger: ClueLedger;
  clock: Clock;
  log: Log;
  /** Revokes what has expired; resolves with whether some are left. */
  expire(): Promise<boolean>;
  /** Loads the ledger, which is missing while the hunt is paused. */
  load(): Promise<void>;
  /** A newer view is known; `isOwn` when this node has read it, and peers should be told. */
  show(view: LedgerView, isOwn: boolean): void;
}

/** One hunt's two clocks on this node: when to look at the ledger again, and when the next assignment expires. */
export class LedgerRefresh {
  readonly #hunt: HuntView;
  readonly #ports: LedgerRefreshPorts;
  #lookAt: (() => void) | undefined;
  #lastLook = Number.NEGATIVE_INFINITY;
  #expiryAt = Number.POSITIVE_INFINITY;
  #cancelExpiry: (() => void) | undefined;
  #stopped = false;

  constructor(hunt: HuntView, ports: LedgerRefreshPorts) {
    this.#hunt = hunt;
    this.#ports = ports;
  }

  /** Something has changed: look soon, unless a look is due anyway. */
  touch(): void {
    if (this.#lookAt || this.#stopped) return;
    const wait = Math.max(0, this.#lastLook + VIEW_EVERY_MS - this.#ports.clock.monotonic());
    this.#lookAt = this.#ports.clock.schedule(() => void this.#look(), wait);
  }

  /** A peer has read this. */
  take(view: LedgerView): void {
    this.#hunt.show(view);
    this.#ports.show(view, false);
    if (view.nextExpiry > 0) this.expectExpiry(view.nextExpiry);
  }

  /** An assignment expires at this time of the hunt (0: none does). While the hunt is paused, nothing does. */
  expectExpiry(at: number): void {
    if (at === 0 || at >= this.#expiryAt || this.#stopped || this.#hunt.isPaused) return;
    this.#expiryAt = at;
    this.#cancelExpiry?.();
    this.#cancelExpiry = this.#ports.clock.schedule(
      () => void this.#expire(),
      Math.max(0, this.#hunt.wallOf(at) - this.#ports.clock.now()) + 1,
    );
  }

  stop(): void {
    this.#stopped = true;
    this.#lookAt?.();
    this.#cancelExpiry?.();
  }

  async #look(): Promise<void> {
    this.#lastLook = this.#ports.clock.monotonic();
    this.#lookAt = undefined;
    if (!this.#hunt.isInLedger) return;
    try {
      const view = await this.#ports.ledger.read(this.#hunt.key, TOP);
      if (!view && this.#hunt.isPaused) await this.#load();
      if (!view || this.#stopped) return;
      this.#hunt.show(view);
      this.#ports.show(view, true);
      if (view.nextExpiry > 0) this.expectExpiry(view.nextExpiry);
    } catch (error) {
      this.#ports.log.debug({ err: error, hunt: this.#hunt.id }, "the ledger could not be read");
    }
  }

  /** Nobody else does so before the hunt goes on. */
  async #load(): Promise<void> {
    await this.#ports.load();
    if (this.#stopped) return;
    this.touch();
  }

  #now(): number {
    return this.#hunt.timeAt(this.#ports.clock.now());
  }

  async #expire(): Promise<void> {
    this.#expiryAt = Number.POSITIVE_INFINITY;
    try {
      const more = await this.#ports.expire();
      this.touch();
      if (more) this.expectExpiry(this.#now());
    } catch (error) {
      this.#ports.log.debug({ err: error, hunt: this.#hunt.id }, "expired assignments could not be revoked yet");
      this.expectExpiry(this.#now() + RETRY_MS);
    }
  }
}
