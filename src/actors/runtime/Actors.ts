import type { Clock, Rng } from "../../clock.ts";
import type { Database } from "../../entities/sql.ts";
import { toRingmasterError } from "../../errors.ts";
import type { Feed } from "../../stores/feeds/Feed.ts";
import type { Actor, ActorType, Remote } from "./Actor.ts";
import { ActorStore } from "./ActorStore.ts";
import type { ActorAddress } from "./actorRow.ts";
import { type CallOptions, Calls } from "./Calls.ts";
import type { DeadLetters } from "./DeadLetters.ts";
import { Directory } from "./Directory.ts";
import { FailingTimers } from "./FailingTimers.ts";
import { Membership, type MembershipEvent } from "./Membership.ts";
import type { OldTell } from "./OldOutbox.ts";
import { Orphans } from "./Orphans.ts";
import { Outbox } from "./Outbox.ts";
import { Peers } from "./Peers.ts";
import type { Bus, Log, NodeInfo, RuntimeMetrics } from "./ports.ts";
import { actorKey } from "./protocol.ts";
import { type ActorKind, Residents } from "./Residents.ts";
import { Sweeper } from "./Sweeper.ts";
import { outsideTurns } from "./turnContext.ts";

export interface ActorsOptions {
  node: NodeInfo;
  kinds: readonly ActorKind[];
  bus: Bus;
  database: Database;
  feed: Feed;
  clock: Clock;
  rng: Rng;
  log: Log;
  metrics: RuntimeMetrics;
  /** A node's beat may be missing for this long before it counts as dead, in milliseconds. */
  ttlMs?: number;
  /** An actor unused for this long is let go, in milliseconds. */
  idleMs?: number;
  /** Tests put a store with a fault, or without its fence, in place. */
  makeStore?: (database: Database, nodeId: string) => ActorStore;
}

const TTL_MS = 3000;
const IDLE_MS = 60_000;
/** The actor runtime of one node: typed references, and the machinery that makes each actor live on one node at a time. */
export class Actors {
  readonly membership: Membership;
  readonly peers: Peers;
  readonly #options: ActorsOptions;
  readonly #store: ActorStore;
  readonly #residents: Residents;
  readonly #outbox: Outbox;
  readonly #sweeper: Sweeper;
  readonly #directory: Directory;
  readonly #calls: Calls;

  constructor(options: ActorsOptions) {
    const { node, bus, database, clock, log, rng, metrics, feed } = options;
    this.#options = options;
    this.#store = options.makeStore?.(database, node.id) ?? new ActorStore(database, node.id);
    const store = this.#store;
    this.membership = new Membership(node, { bus, clock, log }, options.ttlMs ?? TTL_MS);
    this.peers = new Peers(node.id, { bus, clock, log });
    const membership = this.membership;
    this.#residents = new Residents(options.kinds, { store, membership, clock, rng, log, metrics }, () => this.#outbox);
    const residents = this.#residents;
    this.#directory = new Directory({ store, membership, residents });
    this.#calls = new Calls({ directory: this.#directory, membership, residents, peers: this.peers, clock, log });
    this.#outbox = new Outbox({
      ...{ nodeId: node.id, database, feed, clock, rng, log, metrics },
      tell: (row) => this.#calls.tell(row),
      tellOld: (tell, requestId) => this.#tellOld(tell, requestId),
    });
    this.failingTimers = new FailingTimers({
      database,
      call: (address, method, args) => this.call(address, method, args),
    });
    this.#sweeper = new Sweeper(
      {
        orphans: new Orphans(database, node.id, (nodeId) => membership.hasDied(nodeId)),
        membership,
        residents,
        outbox: this.#outbox,
        clock,
        log,
      },
      options.idleMs ?? IDLE_MS,
    );
  }

  /** How many actors live on this node. */
  get residents(): number {
    return this.#residents.size;
  }

  /** Timers that keep failing. */
  readonly failingTimers: FailingTimers;

  /** Tells that could not be delivered. */
  get deadLetters(): DeadLetters {
    return this.#outbox.letters;
  }

  async start(): Promise<void> {
    await this.#store.releaseAll();
    await this.peers.start({
      call: (message) => void this.#calls.answer(message),
      released: (nodeId, all) => this.#onReleased(nodeId, all),
    });
    this.membership.on((event) => this.#onMembership(event));
    await this.membership.start();
    if (this.#options.node.role !== "web") {
      this.#outbox.resume();
      this.#outbox.resumeOld();
      this.#sweeper.ring();
    }
  }

  /**
   * Gives everything to the peers: new calls go elsewhere, running turns finish and are answered, what is committed is
   * delivered, then all actors are released and the peers are rung.
   */
  async drain(): Promise<void> {
    await this.membership.drain();
    await this.#sweeper.stop();
    await this.#residents.drain(() => this.peers.announceReleased(false));
    await this.#outbox.stop();
    await this.membership.stop();
    await this.peers.announceReleased(true);
  }

  /**
   * This node cannot reach the database (any more), which its peers may. It says so in its beats: they take its actors, and it forgets
   * them and answers with `unavailable`. What it is in the middle of meets the fence. Once it reaches the database again it hosts again.
   */
  cutOff(isCutOff: boolean): void {
    if (isCutOff === (this.membership.self.cutOff === true)) return;
    void this.membership.cutOff(isCutOff);
    if (isCutOff) this.#residents.forgetAll();
    else if (this.#options.node.role !== "web") {
      this.#outbox.resume();
      this.#sweeper.ring();
    }
  }

  /** Ends the conversation with the peers; call it last, when nobody needs an answer any more. */
  async stop(): Promise<void> {
    await this.peers.stop();
  }

  /** The node that an actor lives on; undefined when it lives nowhere, or its node is gone. A hint: it may move at any time. */
  whereIs(type: { readonly kind: string }, id: string): Promise<string | undefined> {
    return this.#directory.whereIs({ kind: type.kind, id });
  }

  /** A typed reference: only the actor's public async methods. `options` hold for each call through it. */
  ref<A extends Actor<never> | Actor<unknown>>(type: ActorType<A>, id: string, options: CallOptions = {}): Remote<A> {
    return new Proxy(Object.create(null), {
      get: (_, method) =>
        method === "then"
          ? undefined
          : (...args: unknown[]) => this.call({ kind: type.kind, id }, String(method), args, options),
    }) as Remote<A>;
  }

  /** Calls one method. Rejects with the actor's own error, or with not_delivered, outcome_unknown, overloaded, actor_cycle. */
  call(address: ActorAddress, method: string, args: unknown[], options: CallOptions = {}): Promise<unknown> {
    return this.#calls.call(address, method, args, options);
  }

  /** What a node of the version before has committed: a repeat is known by its request id. */
  async #tellOld({ kind, id, method, args }: OldTell, requestId: string): Promise<void> {
    try {
      await outsideTurns(() => this.call({ kind, id }, method, args, { requestId }));
    } catch (error) {
      const { code, status } = toRingmasterError(error);
      if (status >= 500) throw error;
      this.#options.log.error(
        { code, actor: actorKey({ kind, id }), method },
        "a told actor refused; the message is dropped",
      );
    }
  }

  #onMembership(event: MembershipEvent): void {
    if (event.type === "gone") this.#onGone(event.nodeId, event.why);
    if (event.type === "cutOff") this.#forgetOwner(event.nodeId);
    if (event.type === "stalled") {
      this.#outbox.forget();
      this.#residents.abandonAll().catch((error: unknown) => {
        this.#options.log.warn(
          { err: error },
          "actors could not be released after a stall; the next sweep tries again",
        );
      });
    }
  }

  #onReleased(nodeId: string, all: boolean): void {
    this.membership.released(nodeId, all);
    this.#forgetOwner(nodeId);
  }

  #onGone(nodeId: string, why: "dead" | "left"): void {
    this.peers.gone(nodeId, why);
    this.#forgetOwner(nodeId);
  }

  #forgetOwner(nodeId: string): void {
    this.#directory.forgetNode(nodeId);
    if (!this.membership.self.draining && this.#options.node.role !== "web") this.#sweeper.ring();
  }
}
