import type { Clock } from "../../clock.ts";
import type { ClueLedger } from "../../stores/hunts/ClueLedger.ts";
import { MOST_POSITIONS } from "../../stores/hunts/ledgerRules.ts";
import { isNewer, ThrottledRefresh, type Versioned } from "../events/ThrottledRefresh.ts";
import type { Log } from "../runtime/ports.ts";
import type { HuntView } from "./HuntView.ts";

/** A node asks for places of a hunt's queue once in this time, in milliseconds, and for `MOST_POSITIONS` of them. */
const ASK_EVERY_MS = 1000;

/**
 * Tells the waiting players of one hunt and node their places in the queue as they change. Of more than `MOST_POSITIONS` waiting
 * players, each call asks for the next ones, so that all have their turn whatever the queue does.
 */
export class Positions {
  readonly #hunt: HuntView;
  readonly #ports: { ledger: ClueLedger; log: Log };
  readonly #refresh: ThrottledRefresh;
  /** Players whose places may be others than they were told. */
  readonly #due = new Set<string>();
  /** The hunt has changed since all who wait became due. */
  #isStale = false;
  #seen: Versioned | undefined;

  constructor(hunt: HuntView, ports: { ledger: ClueLedger; clock: Clock; log: Log }) {
    this.#hunt = hunt;
    this.#ports = ports;
    this.#refresh = new ThrottledRefresh(ports.clock, () => this.#look(), ASK_EVERY_MS);
  }

  /** The hunt stands like this now: places may have changed, unless it is how it stood before. */
  known(view: Versioned): void {
    if (this.#hunt.waiting.size === 0 || !isNewer(view, this.#seen)) return;
    this.#seen = view;
    this.#isStale = true;
    this.#refresh.touch();
  }

  /** A waiting player is on a connection that was not told their place. */
  notify(playerId: string): void {
    const claim = this.#hunt.waiting.get(playerId);
    if (!claim) return;
    claim.position = 0;
    this.#due.add(playerId);
    this.#refresh.touch();
  }

  stop(): void {
    this.#refresh.stop();
  }

  async #look(): Promise<void> {
    if (this.#due.size === 0 && this.#isStale) {
      this.#isStale = false;
      for (const playerId of this.#hunt.waiting.keys()) this.#due.add(playerId);
    }
    const asked = [...this.#take(MOST_POSITIONS)];
    const claims = asked.map((playerId) => this.#hunt.waiting.get(playerId));
    try {
      const places = (await this.#ports.ledger.positions(this.#hunt.key, asked)) ?? [];
      for (const [at, playerId] of asked.entries()) {
        const [claim, position = 0] = [claims[at], places[at]];
        // Who claimed again meanwhile has a later answer.
        if (claim && position > 0 && this.#hunt.waiting.get(playerId) === claim)
          this.#hunt.notifyPosition(playerId, position);
      }
    } catch (error) {
      this.#ports.log.debug({ err: error, hunt: this.#hunt.id }, "places in the queue could not be read");
      this.#isStale = true;
    }
    if (this.#due.size > 0 || this.#isStale) this.#refresh.touch();
  }

  /** Takes the next due players whom somebody is here to hear for. */
  *#take(most: number): Generator<string> {
    let taken = 0;
    for (const playerId of this.#due) {
      if (taken === most) return;
      this.#due.delete(playerId);
      const claim = this.#hunt.waiting.get(playerId);
      if (!claim?.isTold || claim.isAway) continue;
      taken += 1;
      yield playerId;
    }
  }
}
