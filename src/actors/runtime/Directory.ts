import { RingmasterError } from "../../errors.ts";
import type { ActorStore } from "./ActorStore.ts";
import type { ActorAddress } from "./actorRow.ts";
import type { Membership } from "./Membership.ts";
import { preferredNode } from "./placement.ts";
import { actorKey } from "./protocol.ts";
import type { Residents } from "./Residents.ts";

/** Actors whose owner is remembered; beyond it the oldest are forgotten, and cost one query when they are called again. */
const OWNERS_BOUND = 100_000;

/** Where actors live, as far as this node knows or can find out. All of it is hints: a node that is asked for an actor knows better. */
export class Directory {
  readonly #store: ActorStore;
  readonly #membership: Membership;
  readonly #residents: Residents;
  readonly #owners = new Map<string, string>();
  readonly #lookups = new Map<string, ReturnType<ActorStore["find"]>>();

  constructor(ports: { store: ActorStore; membership: Membership; residents: Residents }) {
    this.#store = ports.store;
    this.#membership = ports.membership;
    this.#residents = ports.residents;
  }

  /** The node that an actor lives on; undefined when it lives nowhere, or its node is gone. */
  async whereIs(address: ActorAddress): Promise<string | undefined> {
    const key = actorKey(address);
    if (this.#residents.has(key)) return this.#membership.self.id;
    const owner = this.#owners.get(key) ?? (await this.#lookUp(key, address))?.owner ?? undefined;
    return owner === undefined || this.#membership.isGone(owner) ? undefined : owner;
  }

  /** The node to call: the actor's own, or the one on which it should come to life. `avoid` is emptied once no other is left. */
  async locate(key: string, address: ActorAddress, avoid: Set<string>): Promise<string> {
    const self = this.#membership.self.id;
    if (this.#residents.has(key)) return self;
    const known = this.#owners.get(key);
    if (known !== undefined && !this.#membership.isGone(known)) return known;
    const row = await this.#lookUp(key, address);
    if (row && row.owner !== null && row.owner !== self && !this.#membership.isGone(row.owner)) return row.owner;
    return this.#shouldLiveOn(key, avoid);
  }

  #shouldLiveOn(key: string, avoid: Set<string>): string {
    const { placement } = this.#membership;
    const first = placement.nodeOf(key);
    if (first !== undefined && !avoid.has(first)) return first;
    const hosts = this.#membership.hosts().map(({ id }) => id);
    if (hosts.every((id) => avoid.has(id))) avoid.clear();
    const next = preferredNode(
      key,
      hosts.filter((id) => !avoid.has(id)),
    );
    if (next === undefined)
      throw new RingmasterError("not_delivered", "No node that hosts actors is alive; nothing happened.");
    return next;
  }

  /** Callers that ask for the same actor at once share one query. */
  #lookUp(key: string, address: ActorAddress): ReturnType<ActorStore["find"]> {
    const running = this.#lookups.get(key);
    if (running) return running;
    const lookup = this.#store.find(address).finally(() => this.#lookups.delete(key));
    this.#lookups.set(key, lookup);
    return lookup;
  }

  remember(key: string, nodeId: string): void {
    this.#owners.delete(key);
    this.#owners.set(key, nodeId);
    if (this.#owners.size > OWNERS_BOUND) this.#owners.delete(this.#owners.keys().next().value!);
  }

  forget(key: string): void {
    this.#owners.delete(key);
  }

  forgetNode(nodeId: string): void {
    for (const [key, owner] of this.#owners) if (owner === nodeId) this.#owners.delete(key);
  }
}
