import { RingmasterError } from "../../errors.ts";
import type { Actor } from "./Actor.ts";
import { copyOf, frozenCopyOf, isSame } from "./values.ts";

/** A draft that differs from what is stored. */
export interface Draft {
  /** JSON text. */
  text: string;
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
  /** Undefined: nothing has touched the draft since it was loaded. */
  #stored: unknown;

  /** `loaded`: the state as it was read, which the first turn edits. */
  constructor(actor: Actor<unknown>, loaded: unknown, what: () => string) {
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

  /** The draft where it differs from what is stored. Throws `not_serializable`. */
  changed(): Draft | undefined {
    const { state } = this.#actor;
    if (isSame(state, this.#stored)) return undefined;
    const stored = frozenCopyOf(state, this.#what);
    if (stored === undefined) throw new RingmasterError("not_serializable", `${this.#what()} is undefined.`);
    return { text: JSON.stringify(stored), stored };
  }

  /** The turn has committed. */
  committed(draft: Draft | undefined): void {
    if (draft) this.#stored = draft.stored;
  }

  /** The turn has failed: what it did to the draft is undone. */
  undo(): void {
    this.#actor.state = copyOf(this.#stored, this.#what);
  }
}
