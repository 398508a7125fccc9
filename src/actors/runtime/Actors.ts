import type { Clock, Rng } from "../../clock.ts";
import type { Database } from "../../entities/sql.ts";
import { RingmasterError, toRingmasterError } from "../../errors.ts";
import type { Feed } from "../../stores/feeds/Feed.ts";
import { Activation } from "./Activation.ts";
import type { Actor, ActorType, Remote } from "./Actor.ts";
import { ActorStore } from "./ActorStore.ts";
import type { ActorAddress } from "./actorRow.ts";
import { Membership, type MembershipEvent } from "./Membership.ts";
import { Orphans } from "./Orphans.ts";
import { Outbox } from "./Outbox.ts";
import { OutboxTable } from "./OutboxTable.ts";
import { type Delivery, Peers } from "./Peers.ts";
import { preferredNode } from "./placement.ts";
import type { Bus, Log, NodeInfo, RuntimeMetrics } from "./ports.ts";
import { type ActorRequest, actorKey, type CallMessage, type CallOutcome } from "./protocol.ts";
import { type ActorKind, Residents } from "./Residents.ts";
import { Sweeper } from "./Sweeper.ts";
import type { Tell } from "./Tells.ts";
import { currentTurn, outsideTurns } from "./turnContext.ts";

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

/** Options of one call. */
export interface CallOptions {
  /** The answer is stored with the turn, and a repeat of the call with the same id gets it back. At most 64 characters. */
  requestId?: string;
  /** How long to wait for the answer, in milliseconds. */
  deadlineMs?: number;
}

const TTL_MS = 3000;
const IDLE_MS = 60_000;
const DEADLINE_MS = 10_000;
/** Pause before a call is tried elsewhere, so that a change of owners does not become a storm. */
const RETRY_MS = 25;
/** How often a call follows at once where a node says that the actor is; after that it pauses first. */
const HINTS_FOLLOWED = 3;
/** Actors whose owner is remembered; beyond it the oldest are forgotten, and cost one query when they are called again. */
const OWNERS_BOUND = 100_000;

/** The actor runtime of one node: typed references, and the machinery that makes each actor live on one node at a time. */
export class Actors {
  readonly membership: Membership;
  readonly peers: Peers;
  readonly #options: ActorsOptions;
  readonly #store: ActorStore;
  readonly #residents: Residents;
  readonly #outbox: Outbox;
  readonly #sweeper: Sweeper;
  readonly #owners = new Map<string, string>();
  readonly #lookups = new Map<string, ReturnType<ActorStore["find"]>>();
  #draining = false;

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
    const table = new OutboxTable(database, node.id);
    this.#outbox = new Outbox({ table, feed, clock, log, tell: (message, id) => this.#tell(message, id) });
    this.#sweeper = new Sweeper(
      { orphans: new Orphans(database, node.id), membership, residents, outbox: this.#outbox, clock, log },
      options.idleMs ?? IDLE_MS,
    );
  }

  /** How many actors live on this node. */
  get residents(): number {
    return this.#residents.size;
  }

  async start(): Promise<void> {
    await this.#store.releaseAll();
    await this.peers.start({
      call: (message) => void this.#answer(message),
      released: (nodeId, all) => this.#onReleased(nodeId, all),
    });
    this.membership.on((event) => this.#onMembership(event));
    await this.membership.start();
    if (this.#options.node.role !== "web") {
      this.#outbox.resume();
      this.#sweeper.ring();
    }
  }

  /**
   * Gives everything to the peers: new calls go elsewhere, running turns finish and are answered, what is committed is
   * delivered, then all actors are released and the peers are rung.
   */
  async drain(): Promise<void> {
    this.#draining = true;
    await this.membership.drain();
    await this.#sweeper.stop();
    await this.#residents.drain(() => this.peers.announceReleased(false));
    await this.#outbox.stop();
    await this.membership.stop();
    await this.peers.announceReleased(true);
  }

  /** Ends the conversation with the peers; call it last, when nobody needs an answer any more. */
  async stop(): Promise<void> {
    await this.peers.stop();
  }

  /** The node that an actor lives on; undefined when it lives nowhere, or its node is gone. A hint: it may move at any time. */
  async whereIs(type: { readonly kind: string }, id: string): Promise<string | undefined> {
    const address = { kind: type.kind, id };
    const key = actorKey(address);
    if (this.#residents.get(key)) return this.membership.self.id;
    const owner = this.#owners.get(key) ?? (await this.#lookUp(key, address))?.owner ?? undefined;
    return owner === undefined || this.membership.isGone(owner) ? undefined : owner;
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
  async call(address: ActorAddress, method: string, args: unknown[], options: CallOptions = {}): Promise<unknown> {
    assertAddressable(address, options);
    const key = actorKey(address);
    const context = currentTurn();
    const chain = context?.chain ?? [];
    if (chain.includes(key))
      throw new RingmasterError("actor_cycle", `The call chain ${[...chain, key].join(" → ")} comes back to itself.`);
    if (context?.turn.inTransaction) {
      throw new RingmasterError(
        "internal",
        `${chain.at(-1)} calls ${key} while its transaction is open; call first, or tell.`,
      );
    }
    const deadline = this.#options.clock.monotonic() + (options.deadlineMs ?? DEADLINE_MS);
    const request = {
      ...address,
      method,
      args,
      chain,
      ...(options.requestId === undefined ? {} : { requestId: options.requestId }),
    };
    const outcome = await this.#answerInTime(key, request, deadline);
    if (outcome.kind === "ok") return outcome.value;
    throw RingmasterError.fromWire(outcome.error);
  }

  /** The answer, or at the deadline what is known by then: the database may hang, and a call on this node may be in its turn. */
  async #answerInTime(key: string, request: Omit<ActorRequest, "leftMs">, deadline: number): Promise<Answer> {
    const { clock } = this.#options;
    const progress: Progress = { mayHaveHappened: false, isUnderWay: false };
    const { promise: late, resolve } = Promise.withResolvers<Answer>();
    const cancel = clock.schedule(
      () => resolve(undelivered(key, progress.mayHaveHappened || progress.isUnderWay)),
      deadline - clock.monotonic(),
    );
    try {
      return await Promise.race([this.#untilAnswered(key, request, deadline, progress), late]);
    } finally {
      cancel();
    }
  }

  /** Tries until there is an answer or the deadline: what certainly did not arrive is sent again, and with a request id anything is. */
  async #untilAnswered(
    key: string,
    request: Omit<ActorRequest, "leftMs">,
    deadline: number,
    progress: Progress,
  ): Promise<Answer> {
    let avoid: string | undefined;
    for (let attempt = 0; ; attempt++) {
      const leftMs = deadline - this.#options.clock.monotonic();
      if (leftMs <= 0) return undelivered(key, progress.mayHaveHappened);
      const sent = await this.#attempt(key, { ...request, leftMs }, deadline, avoid, progress);
      if (sent.kind === "ok") return sent;
      if (sent.kind === "error")
        return progress.mayHaveHappened && NEVER_BEGAN.has(sent.error.code) ? undelivered(key, true) : sent;
      if (sent.kind === "unknown") progress.mayHaveHappened = true;
      if (sent.kind === "unknown" && request.requestId === undefined) return undelivered(key, true);
      avoid = sent.kind === "not_delivered" ? this.#owners.get(key) : undefined;
      this.#owners.delete(key);
      const owner = sent.kind === "moved" ? sent.owner : undefined;
      if (owner !== undefined) this.#remember(key, owner);
      // Nodes may differ for a while about who is alive, and send a call to and fro.
      const isHint = owner !== undefined && attempt < HINTS_FOLLOWED && !this.membership.isGone(owner);
      if (!isHint && (attempt > 0 || sent.kind !== "moved"))
        await this.#pause(Math.min(RETRY_MS * 2 ** Math.min(attempt, 4), 250));
    }
  }

  /** One try: on this node, or on the one that owns the actor or should. */
  async #attempt(
    key: string,
    request: ActorRequest,
    deadline: number,
    avoid: string | undefined,
    progress: Progress,
  ): Promise<Delivery> {
    let nodeId: string;
    try {
      nodeId = await this.#locate(key, request, avoid);
    } catch (error) {
      return this.#notReached(error);
    }
    const isHere = nodeId === this.membership.self.id;
    if (!isHere) this.#remember(key, nodeId);
    progress.isUnderWay = true;
    const sent = await (isHere ? this.#callHere(request, deadline) : this.peers.call(nodeId, request));
    progress.isUnderWay = false;
    return sent;
  }

  async #locate(key: string, address: ActorAddress, avoid: string | undefined): Promise<string> {
    const self = this.membership.self.id;
    if (this.#residents.get(key)) return self;
    const known = this.#owners.get(key);
    if (known !== undefined && !this.membership.isGone(known)) return known;
    const row = await this.#lookUp(key, address);
    if (row && row.owner !== null && row.owner !== self && !this.membership.isGone(row.owner)) return row.owner;
    const hosts = this.membership.hosts().map((node) => node.id);
    const candidates = hosts.filter((id) => id !== avoid && !(this.#draining && id === self));
    const preferred = preferredNode(key, candidates.length > 0 ? candidates : hosts);
    if (preferred === undefined)
      throw new RingmasterError("not_delivered", "No node that hosts actors is alive; nothing happened.");
    return preferred;
  }

  /** Callers that ask for the same actor at once share one query. */
  #lookUp(key: string, address: ActorAddress): ReturnType<ActorStore["find"]> {
    const running = this.#lookups.get(key);
    if (running) return running;
    const lookup = this.#store.find(address).finally(() => this.#lookups.delete(key));
    this.#lookups.set(key, lookup);
    return lookup;
  }

  async #callHere(request: ActorRequest, deadline: number): Promise<Delivery> {
    if (this.#draining) return { kind: "moved" };
    try {
      const resident = await this.#residents.resolve(request);
      if (resident instanceof Activation) return await resident.call(request, deadline);
      return resident.owner === undefined ? { kind: "moved" } : { kind: "moved", owner: resident.owner };
    } catch (error) {
      return this.#notReached(error);
    }
  }

  /** Nothing had happened yet when this failed: the caller may be told so, unless the error is a definite answer. */
  #notReached(error: unknown): Delivery {
    if (error instanceof RingmasterError) return { kind: "error", error: error.toWire() };
    this.#options.log.warn({ err: error }, "an actor could not be looked up");
    return { kind: "error", error: new RingmasterError("not_delivered").toWire() };
  }

  async #answer({ call, from, request }: CallMessage): Promise<void> {
    const deadline = this.#options.clock.monotonic() + request.leftMs;
    const outcome = await this.#callHere(request, deadline);
    this.peers.reply(from, call, outcome as CallOutcome, deadline);
  }

  async #tell(message: Tell, requestId: string): Promise<void> {
    const address = { kind: message.kind, id: message.id };
    try {
      await outsideTurns(() => this.call(address, message.method, message.args, { requestId }));
    } catch (error) {
      const { code } = toRingmasterError(error);
      if (RETRIED_TELLS.has(code)) throw error;
      this.#options.log.error(
        { err: error, actor: actorKey(address), method: message.method },
        "a told actor refused; the message is dropped",
      );
    }
  }

  #onMembership(event: MembershipEvent): void {
    if (event.type === "gone") this.#onGone(event.nodeId, event.why);
    if (event.type === "stalled") {
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
    if (why === "dead") this.peers.gone(nodeId);
    this.#forgetOwner(nodeId);
  }

  #forgetOwner(nodeId: string): void {
    for (const [key, owner] of this.#owners) if (owner === nodeId) this.#owners.delete(key);
    if (!this.#draining && this.#options.node.role !== "web") this.#sweeper.ring();
  }

  #remember(key: string, nodeId: string): void {
    this.#owners.delete(key);
    this.#owners.set(key, nodeId);
    if (this.#owners.size > OWNERS_BOUND) this.#owners.delete(this.#owners.keys().next().value!);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#options.clock.schedule(resolve, ms));
  }
}

const RETRIED_TELLS: ReadonlySet<string> = new Set([
  "not_delivered",
  "outcome_unknown",
  "overloaded",
  "unavailable",
  "actor_quarantined",
]);

/** Keys that their columns would cut could become another actor's, or another request's. */
function assertAddressable({ id }: ActorAddress, { requestId }: CallOptions): void {
  const fits = (text: string, most: number): boolean => text.length > 0 && text.length <= most && text.isWellFormed();
  // MySQL takes texts for equal that differ in spaces at their end.
  if (!fits(id, 128) || id.endsWith(" "))
    throw new RingmasterError("invalid_payload", "An actor's id has 1 to 128 characters, and no space at its end.");
  if (requestId !== undefined && !fits(requestId, 64))
    throw new RingmasterError("invalid_payload", "A request id has 1 to 64 characters.");
}

type Answer = CallOutcome & { kind: "ok" | "error" };

/** What is known of a call that has no answer yet. */
interface Progress {
  /** An attempt came to no end that is known. */
  mayHaveHappened: boolean;
  /** An attempt has reached a node and not come back. */
  isUnderWay: boolean;
}

/** Errors that tell only that this very attempt did not begin. */
const NEVER_BEGAN: ReadonlySet<string> = new Set(["not_delivered", "overloaded", "actor_quarantined"]);

function undelivered(key: string, mayHaveHappened: boolean): Answer {
  const error = mayHaveHappened
    ? new RingmasterError("outcome_unknown")
    : new RingmasterError(
        "not_delivered",
        `The call did not reach ${key} in time; nothing happened, and it is safe to repeat.`,
      );
  return { kind: "error", error: error.toWire() };
}
