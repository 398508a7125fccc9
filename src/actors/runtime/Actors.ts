import type { Clock, Rng } from "../../clock.ts";
import type { Database } from "../../entities/sql.ts";
import { toRingmasterError } from "../../errors.ts";
import type { Feed } from "../../stores/feeds/Feed.ts";
import type { Actor, ActorType, Remote } from "./Actor.ts";
import type { ActorKind } from "./ActorKinds.ts";
import { ActorStore } from "./ActorStore.ts";
import type { AllDeadLetters } from "./AllDeadLetters.ts";
import type { ActorAddress } from "./actorRow.ts";
import { CallCycles } from "./CallCycles.ts";
import { type CallOptions, Calls } from "./Calls.ts";
import { CheckedClock } from "./CheckedClock.ts";
import { CrashBlame } from "./CrashBlame.ts";
import { Directory } from "./Directory.ts";
import { FailingTimers } from "./FailingTimers.ts";
import { Membership, type MembershipEvent } from "./Membership.ts";
import type { OldSend } from "./OldOutbox.ts";
import { Orphans } from "./Orphans.ts";
import { Outbox } from "./Outbox.ts";
import { Peers } from "./Peers.ts";
import type { Bus, Log, NodeInfo, RuntimeMetrics } from "./ports.ts";
import { actorKey } from "./protocol.ts";
import { Residents } from "./Residents.ts";
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
  /** How long a drain may take before it says goodbye in any case, in milliseconds. */
  drainMs?: number;
  /** Tests put a store with a fault, or without its fence, in place. */
  makeStore?: (database: Database, nodeId: string) => ActorStore;
}

const TTL_MS = 3000;
/** Told to a node: there is something for it to adopt. */
const ADOPT_SIGNAL = "actors:adopt";
const IDLE_MS = 60_000;
/** A drain that takes longer leaves what it has not done to the peers, and says goodbye. */
const DRAIN_MS = 20_000;
/** What each step of a drain may take of that, in parts; the last ones are left for the goodbye. */
const DRAIN_STEPS = { beat: 0.1, residents: 0.7, loops: 0.75, outbox: 0.9 } as const;
/** The actor runtime of one node: typed references, and the machinery that makes each actor live on one node at a time. */
export class Actors {
  readonly membership: Membership;
  readonly peers: Peers;
  /** The node's clock, or the cluster's time where that is off: what rooms and stores judge by what comes too early or too late. */
  readonly clock: Clock;
  readonly #options: ActorsOptions;
  readonly #store: ActorStore;
  readonly #blame: CrashBlame;
  readonly #residents: Residents;
  readonly #outbox: Outbox;
  readonly #sweeper: Sweeper;
  readonly #directory: Directory;
  readonly #calls: Calls;

  constructor(options: ActorsOptions) {
    const { node, bus, database, log, rng, metrics, feed } = options;
    const clock = new CheckedClock(options.clock);
    this.clock = clock;
    this.#options = options;
    this.#store = options.makeStore?.(database, node.id) ?? new ActorStore(database, node.id);
    const store = this.#store;
    this.membership = new Membership(
      node,
      { bus, clock, log, metrics, residents: () => this.#residents.size },
      options.ttlMs ?? TTL_MS,
    );
    this.peers = new Peers(node.id, { bus, clock, log });
    const membership = this.membership;
    this.#blame = new CrashBlame(database, node.id, { clock, rng, log });
    const blame = this.#blame;
    const parts = { store, blame, membership, clock, rng, log, metrics };
    this.#residents = new Residents(
      options.kinds,
      parts,
      () => this.#outbox,
      () => this.#sweeper.ringRelease(),
    );
    const residents = this.#residents;
    this.#directory = new Directory({ store, membership, residents });
    const cycles = new CallCycles({ residents, peers: this.peers });
    residents.onWait((wait) => cycles.waits(wait));
    const { peers } = this;
    this.#calls = new Calls({ directory: this.#directory, membership, residents, peers, cycles, clock, log });
    this.#outbox = new Outbox({
      ...{ nodeId: node.id, database, feed, clock, rng, log, metrics },
      deliver: (row) => this.#calls.deliver(row),
      deliverOld: (message, requestId) => this.#deliverOld(message, requestId),
    });
    this.failingTimers = new FailingTimers({
      database,
      call: (address, method, args, options) => this.call(address, method, args, options),
    });
    const orphans = new Orphans(database, node.id, {
      hasDied: (nodeId) => membership.hasDied(nodeId),
      judge: (nodeId) => blame.judge(nodeId),
      knows: (row) => residents.knows(row),
    });
    this.#sweeper = new Sweeper(
      {
        ...{ orphans, membership, residents, outbox: this.#outbox, clock, rng, log },
        ringPeer: (nodeId) => this.peers.signal(nodeId, ADOPT_SIGNAL, null),
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

  /** Messages that could not be delivered, and events that their feeds refuse. */
  get deadLetters(): AllDeadLetters {
    return this.#outbox.letters;
  }

  async start(): Promise<void> {
    await this.#blame.judge(this.#options.node.id);
    await this.#store.releaseAll();
    await this.peers.start({
      call: (message) => void this.#calls.answer(message),
      released: (nodeId, all) => this.#onReleased(nodeId, all),
    });
    this.peers.onSignal(ADOPT_SIGNAL, () => {
      if (this.#adopts) this.#sweeper.ring();
    });
    this.membership.on((event) => this.#onMembership(event));
    await this.membership.start();
    if (this.#options.node.role !== "web") {
      this.#outbox.resume();
      this.#outbox.resumeOld();
      this.#sweeper.start();
    }
  }

  /**
   * Gives everything to the peers: new calls go elsewhere, running turns finish and are answered, what is committed is
   * delivered, then all actors are released and the peers are rung. What fails or hangs on the way keeps it from none of the later steps:
   * the peers take what is left from the goodbye on.
   */
  async drain(): Promise<void> {
    const clock = this.#options.clock;
    const drainMs = this.#options.drainMs ?? DRAIN_MS;
    const end = (step: keyof typeof DRAIN_STEPS): number => startedAt + drainMs * DRAIN_STEPS[step];
    const startedAt = clock.monotonic();
    await this.#step("beat", this.membership.drain(), end("beat"));
    const stopped = this.#sweeper.stop();
    const drained = this.#residents.drain(end("residents"), () => this.peers.announceReleased(false));
    await this.#step("residents", drained, end("residents"));
    await this.#step("loops", stopped, end("loops"));
    // What a loop had adopted by then has not come to life.
    await this.#step("residents", this.#residents.release(), end("loops"));
    await this.#step("residents", this.#blame.stop(), end("loops"));
    await this.#step("outbox", this.#outbox.stop(), end("outbox"));
    await this.#step("goodbye", this.membership.stop(), startedAt + drainMs);
    await this.#step("goodbye", this.peers.announceReleased(true), startedAt + drainMs);
  }

  /** Waits for a step of a drain until `until` (monotonic), and no longer; whatever becomes of it, the next one is taken. */
  async #step(what: string, work: Promise<void>, until: number): Promise<void> {
    const { clock, log } = this.#options;
    const late = Promise.withResolvers<"late">();
    const cancel = clock.schedule(() => late.resolve("late"), until - clock.monotonic());
    try {
      if ((await Promise.race([work, late.promise])) === "late")
        log.error({ what }, "a drain goes on without this step");
    } catch (error) {
      log.error({ err: error, what }, "a step of the drain failed; it goes on");
    } finally {
      cancel();
    }
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
      this.#sweeper.reconnected();
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

  /** Whether anything of an actor is stored. It may be made or destroyed at any time. */
  exists(type: { readonly kind: string }, id: string): Promise<boolean> {
    return this.#store.exists({ kind: type.kind, id });
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
  async #deliverOld({ kind, id, method, args }: OldSend, requestId: string): Promise<void> {
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
    if (event.type === "joined") this.#sweeper.joined(event.node.id);
    if (event.type === "gone") this.#onGone(event.nodeId, event.why);
    if (event.type === "cutOff") {
      this.#directory.forgetNode(event.nodeId);
      if (this.#adopts) this.#sweeper.ring();
    }
    if (event.type === "joined") this.#blame.lives(event.node.id);
    if (event.type === "unheard") this.#blame.wasSilent();
    if (event.type === "stalled") {
      this.#outbox.forget();
      this.#residents.abandonAll();
    }
  }

  #onReleased(nodeId: string, all: boolean): void {
    this.membership.released(nodeId, all);
    this.#directory.forgetNode(nodeId);
    if (this.#adopts) this.#sweeper.ring();
  }

  #onGone(nodeId: string, why: "dead" | "left"): void {
    this.peers.gone(nodeId, why);
    this.#directory.forgetNode(nodeId);
    if (this.#adopts) this.#sweeper.gone(nodeId);
  }

  get #adopts(): boolean {
    return !this.membership.self.draining && this.#options.node.role !== "web";
  }
}
