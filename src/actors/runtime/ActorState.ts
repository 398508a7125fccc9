import { RingmasterError } from "../../errors.ts";
import type { Actor } from "./Actor.ts";
import { copyOf, frozenCopyOf, isSame } from "./values.ts";

/** What a state may take as JSON, in bytes, unless its kind says more. */
const MOST_BYTES = 256 * 1024;

/** A draft that differs from what is stored. */
export interface Draft {
  /** JSON text. */
  text: string;
  bytes: number;
  /** Frozen: what is stored once the turn has committed. */
  stored: unknown;
}

/**
 * The state of an actor in memory, twice: the draft that turns edit (`Actor.state`), and a frozen copy of what is stored, against which
 * a draft is compared, and of which it is made anew when its turn has failed.
 */
export class ActorState {
  readonly #actor: Actor<unknown>;
  readonly #what: () => string;
  readonly #most: number;
  /** What is stored takes so many. */
  #bytes: number;
  /** Undefined: nothing has touched the draft since it was loaded. */
  #stored: unknown;

  /** `loaded`: the state as it was read, which the first turn edits. */
  constructor(
    actor: Actor<unknown>,
    loaded: unknown,
    { what, bytes, most = MOST_BYTES }: { what: () => string; bytes: number; most?: number | undefined },
  ) {
    this.#bytes = bytes;
    this.#most = most;
    this.#actor = actor;
    this.#what = what;
    actor.state = loaded;
  }

  /** What is stored, frozen. */
  get stored(): unknown {
    this.#stored ??= frozenCopyOf(this.#actor.state, this.#what);
    return this.#stored;
  }

  /** A turn is about to edit the draft. */
  begin(): void {
    void this.stored;
  }

  /** The draft where it differs from what is stored. Throws `not_serializable` and `state_too_large`. */
  changed(): Draft | undefined {
    const { state } = this.#actor;
    if (isSame(state, this.#stored)) return undefined;
    const stored = frozenCopyOf(state, this.#what);
    if (stored === undefined) throw new RingmasterError("not_serializable", `${this.#what()} is undefined.`);
    const text = JSON.stringify(state);
    const bytes = Buffer.byteLength(text);
    // One that was stored when more was allowed may shrink.
    if (bytes > this.#most && bytes > this.#bytes) {
      const sizes = { bytes, most: this.#most };
      throw new RingmasterError(
        "state_too_large",
        `${this.#what()} would take ${bytes} bytes; its kind stores at most ${this.#most}.`,
        sizes,
      );
    }
    return { text, bytes, stored };
  }

  /** The turn has committed. */
  committed(draft: Draft | undefined): void {
    if (!draft) return;
    this.#stored = draft.stored;
    this.#bytes = draft.bytes;
  }

  /** The turn has failed: what it did to the draft is undone. */
  undo(): void {
    this.#actor.state = copyOf(this.#stored, this.#what);
  }
}
