import { RingmasterError } from "../../errors.ts";
import type { Actor, ActorContext, ActorType } from "./Actor.ts";
import type { ActorAddress, ClaimedRow } from "./actorRow.ts";

/** How an actor kind is made on this node. */
export interface ActorKind {
  type: ActorType<Actor<unknown>>;
  create(context: ActorContext): Actor<unknown>;
  /**
   * Whether this node can host the actor of this id (unless told: any of its kind). One that it cannot is never brought to life
   * here: calls of it go on to other nodes, and its timers wait for a node that can.
   */
  hosts?(id: string): boolean;
}

/** The version of the states that a kind writes. */
export function versionOf({ version = 1 }: { readonly version?: number }): number {
  return version;
}

/**
 * The state of a row as this version of its kind has it; the row is of that version from then on. Throws where its kind has no way from the
 * version that it is of.
 */
export function loadedState({ type }: ActorKind, row: ClaimedRow): unknown {
  const state: unknown = JSON.parse(row.state);
  const [from, to] = [row.stateVersion, versionOf(type)];
  if (from === to) return state;
  if (from > to || !type.migrate)
    throw new Error(`${row.kind} of version ${to} has no way from a state of version ${from}`);
  const migrated = type.migrate(state, from);
  row.stateVersion = to;
  return migrated;
}

/** The kinds of actors that this node knows, by name. */
export class ActorKinds {
  readonly #kinds: ReadonlyMap<string, ActorKind>;

  constructor(kinds: readonly ActorKind[]) {
    this.#kinds = new Map(kinds.map((kind) => [kind.type.kind, kind]));
  }

  /** Throws `internal` for one that no kind of this node has as its name. */
  of(name: string): ActorKind {
    const kind = this.#kinds.get(name);
    if (!kind) throw new RingmasterError("internal", `no actor kind ${name} is registered on this node`);
    return kind;
  }

  /** Whether this node's code knows states of the version that this one has. */
  knows({ kind, stateVersion }: ClaimedRow): boolean {
    const known = this.#kinds.get(kind);
    return known !== undefined && stateVersion <= versionOf(known.type);
  }

  /** Whether this node can host the actor. */
  canHost({ kind, id }: ActorAddress): boolean {
    const known = this.#kinds.get(kind);
    return known !== undefined && (known.hosts?.(id) ?? true);
  }
}
