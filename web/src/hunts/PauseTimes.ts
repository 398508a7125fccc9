import { Observable } from "../observable.ts";
import type { Clue, PhaseTold } from "../protocol.ts";

/** What the hunt's messages say of its pauses: by these the open clue's time stands still, and comes later. */
export class PauseTimes {
  /** Since when the hunt is paused, in epoch milliseconds; 0 while it is not. */
  readonly pausedAt = new Observable(0);
  /** How long it was paused before, in all, in milliseconds; unknown until the first message. */
  #pausedMs: number | undefined;

  hear({ pausedMs = 0, pausedAt = 0 }: PhaseTold): void {
    this.#pausedMs = pausedMs;
    this.pausedAt.set(pausedAt);
  }

  get isKnown(): boolean {
    return this.#pausedMs !== undefined;
  }

  /** The clue as the server has just told it. */
  told(clue: Clue): Clue {
    return { ...clue, pausedMs: this.#pausedMs ?? 0 };
  }

  /** The clue as it is now: it runs out later by what the hunt was paused since it was told. */
  shifted(clue: Clue): Clue {
    const { pausedMs: before = 0 } = clue;
    const pausedMs = this.#pausedMs ?? before;
    return { ...clue, expiresAt: clue.expiresAt + pausedMs - before, pausedMs };
  }
}
