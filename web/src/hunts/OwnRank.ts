import { Observable } from "../observable.ts";
import type { OwnStanding } from "../protocol.ts";

/** However often the standings change, the player's own place in them is asked for once in so many milliseconds. */
const ASK_EVERY_MS = 3000;
/** After the end a place is known once it is stored; it is asked for so often, since hunts of long ago never tell it. */
const MOST_ASKED_AFTER_END = 20;

/** Where this player stands in a hunt, kept up to date for as long as they have points. */
export class OwnRank {
  readonly standing = new Observable<OwnStanding | undefined>(undefined);
  readonly #ask: () => Promise<OwnStanding>;
  #askedAt = Number.NEGATIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #left = MOST_ASKED_AFTER_END;
  #isClosed = false;

  constructor(ask: () => Promise<OwnStanding>) {
    this.#ask = ask;
  }

  /** Asks now. */
  look(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#askedAt = performance.now();
    this.#ask().then(
      (standing) => {
        if (this.#isClosed) return;
        this.standing.set(standing);
        if (standing.points > 0 && standing.rank === null && this.#left-- > 0) this.lookSoon();
      },
      // Asked again with the next change, or when the room is back.
      () => undefined,
    );
  }

  /** The standings have changed: asks soon, unless this player has no place in them. */
  lookSoon(): void {
    if (this.#timer !== undefined || this.#isClosed || !this.standing.value?.points) return;
    this.#timer = setTimeout(() => this.look(), Math.max(0, this.#askedAt + ASK_EVERY_MS - performance.now()));
  }

  /** Another player takes over, of whom nothing is known. */
  forget(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.standing.set(undefined);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }
}
