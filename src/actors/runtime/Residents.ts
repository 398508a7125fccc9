import { type Clock, type Rng, sleep } from "../../clock.ts";
import { RingmasterError } from "../../errors.ts";
import { Activation, type ActivationPorts } from "./Activation.ts";
import { type ActorKind, ActorKinds } from "./ActorKinds.ts";
import type { ActorStore } from "./ActorStore.ts";
import type { ActorAddress, ClaimedRow } from "./actorRow.ts";
import type { Wait } from "./CallCycles.ts";
import { Claims, type Elsewhere } from "./Claims.ts";
import type { CrashBlame } from "./CrashBlame.ts";
import { LeftActors } from "./LeftActors.ts";
import type { Membership } from "./Membership.ts";
import type { Outbox } from "./Outbox.ts";
import type { Log, RuntimeMetrics } from "./ports.ts";
import { actorKey } from "./protocol.ts";
import { Releases } from "./Releases.ts";
import { TimerHeap } from "./TimerHeap.ts";
import { TurnGate } from "./TurnGate.ts";

export interface ResidentPorts {
  store: ActorStore;
  blame: CrashBlame;
  membership: Membership;
  clock: Clock;
  rng: Rng;
  log: Log;
  metrics: RuntimeMetrics;
}

/** An actor whose next timer is further away than this may be passivated: a sweeper adopts it again before it is due. */
const PASSIVATE_IF_DUE_AFTER_MS = 10_000;
/** How often a drain looks for turns that have ended, and tries again what could not be released. */
const DRAIN_EVERY_MS = 20;

/**
 * The actors that live on this node.
 *
 * States of an actor here (of each address at most one):
 *   (absent)  to arriving by a call, and to loading by a sweep that has claimed its row;
 *   arriving  is looked up and claimed; to loading, or to (absent) when another node has it;
 *   loading   is claimed and waits for its turn to be loaded where it comes from a dead node (CrashBlame); to alive, or to left when it
 *             cannot be loaded;
 *   alive     has an activation; to ending when it is passivated, moved or drained while a turn runs, else to releasing at once; to
 *             (absent) when its memory is dropped because the row may be another node's;
 *   ending    takes no more turns; to releasing when the last one is over;
 *   releasing its row is still this node's, until it is released or somebody claims it (Releases);
 *   left      is other nodes' for a while (LeftActors).
 */
export class Residents {
  readonly #kinds: ActorKinds;
  readonly #ports: ResidentPorts;
  readonly #outbox: () => Outbox;
  readonly #activations = new Map<string, Activation>();
  readonly #arriving = new Map<string, Promise<Activation | Elsewhere>>();
  /** Claimed rows that wait until they may be loaded. */
  readonly #loading = new Map<string, Promise<void>>();
  /** Those that could not be brought to life here. */
  readonly left: LeftActors;
  readonly #gate: TurnGate;
  readonly #heap: TimerHeap;
  /** Take no more turns; their last one may still be running. */
  readonly #ending = new Set<Activation>();
  /** What this node gives up, so that whoever is first may have it. */
  readonly #releases: Releases;
  readonly #claims: Claims;
  #closed = false;
  #onWait: (wait: Wait) => void = () => {};

  /** `onReleasable` is told when there is something to `release`. */
  constructor(
    kinds: readonly ActorKind[],
    ports: ResidentPorts,
    outbox: () => Outbox,
    onReleasable: () => void = () => {},
  ) {
    this.#kinds = new ActorKinds(kinds);
    this.#ports = ports;
    this.#outbox = outbox;
    this.#releases = new Releases(ports.store, onReleasable);
    this.#claims = new Claims({
      ...ports,
      ...{ kinds: this.#kinds, releases: this.#releases, isClosed: () => this.#closed },
    });
    this.left = new LeftActors(ports.clock);
    this.#gate = new TurnGate(ports.blame);
    this.#heap = new TimerHeap(ports.clock, (key) => this.#activations.get(key)?.fireDue());
  }

  /** Has this told of calls that turns have made, and that wait for their actors here. */
  onWait(listener: (wait: Wait) => void): void {
    this.#onWait = listener;
  }

  get size(): number {
    return this.#activations.size;
  }

  /** Rows that this node has let go and owns yet. */
  get waitForRelease(): number {
    return this.#releases.size;
  }

  /** Whether this call waits for its actor here, and has not begun. */
  isWaiting({ key, edge }: Wait): boolean {
    return this.#activations.get(key)?.isWaiting(edge) ?? false;
  }

  /** Ends a call that waits for its actor here and has not begun. Whether there was one. */
  withdraw({ key, edge }: Wait, why: "cycle" | "withdrawn"): boolean {
    const error =
      why === "cycle"
        ? new RingmasterError("actor_cycle", `${key} is in a turn that waits for the caller; nothing happened.`)
        : new RingmasterError("not_delivered", `The call of ${key} was withdrawn; nothing happened.`);
    return this.#activations.get(key)?.withdraw(edge, error) ?? false;
  }

  get(key: string): Activation | undefined {
    return this.#activations.get(key);
  }

  /** Whether an actor lives here, or will in a moment. */
  has(key: string): boolean {
    return this.#activations.has(key) || this.#loading.has(key);
  }

  /** Whether a sweep may bring this actor here: this node can host it, and it is not here yet, and not on its way. */
  wants(address: ActorAddress): boolean {
    if (this.#ports.membership.self.cutOff) return false;
    const key = actorKey(address);
    if (this.#releases.isDoubtful(key)) return false;
    if (this.left.isLeft(key)) return false;
    return this.#kinds.canHost(address) && !this.has(key) && !this.#arriving.has(key);
  }

  /**
   * The actor living here, claimed first if it is nobody's or a dead node's; or else its owner (undefined: ask again). `isRepeat`: what
   * it is to do may have been begun elsewhere.
   */
  async resolve(address: ActorAddress, isRepeat = false): Promise<Activation | Elsewhere> {
    const key = actorKey(address);
    const here = this.#activations.get(key);
    if (here) return here;
    const arriving = this.#arriving.get(key);
    if (arriving) return arriving;
    const arrival = this.#arrive(address, isRepeat).finally(() => this.#arriving.delete(key));
    this.#arriving.set(key, arrival);
    return arrival;
  }

  async #arrive(address: ActorAddress, isRepeat: boolean): Promise<Activation | Elsewhere> {
    const key = actorKey(address);
    if (this.#loading.has(key)) return this.#loaded(key);
    const row = await this.#claims.claim(address, isRepeat);
    if (!("epoch" in row)) return row;
    await this.settle([row]);
    return this.#loaded(key);
  }

  async #loaded(key: string): Promise<Activation | Elsewhere> {
    await this.#loading.get(key);
    const here = this.#activations.get(key);
    if (!here && this.left.isLeft(key)) throw new RingmasterError("internal", `${key} cannot be loaded on this node.`);
    return here ?? { owner: undefined };
  }

  /**
   * Brings claimed rows to life here. One that cannot be loaded is freed, and keeps none of the others from it. Those that came
   * from a dead node are loaded in their order, which nobody waits for here.
   */
  async settle(rows: readonly ClaimedRow[]): Promise<void> {
    for (const row of rows) if (row.crashes === 0) this.#begin(this.#load(row));
    const suspects = rows.filter((row) => row.crashes > 0);
    try {
      await this.#ports.blame.suspect(suspects);
    } catch (error) {
      this.#releases.add(suspects);
      throw error;
    }
    for (const row of suspects) this.#loadInOrder(row);
  }

  #loadInOrder(row: ClaimedRow): void {
    const key = actorKey(row);
    const loading = this.#ports.blame
      .load(row, () => this.#begin(this.#load(row)))
      .catch((error: unknown) => {
        this.#ports.log.warn({ err: error, actor: key }, "an actor of a dead node was not loaded");
        this.#ports.blame.forget(row);
        this.#releases.add([row]);
      })
      .finally(() => {
        if (this.#loading.get(key) === loading) this.#loading.delete(key);
      });
    this.#loading.set(key, loading);
  }

  #load(row: ClaimedRow): Activation | undefined {
    const key = actorKey(row);
    try {
      const activation = new Activation(row, this.#kinds.of(row.kind), this.#activationPorts());
      this.left.arrived(key);
      return activation;
    } catch (error) {
      this.leave(row, error);
      this.#releases.add([row]);
      return undefined;
    }
  }

  /** Whether this node knows states of the version that this one has. One that it does not know is left to the other nodes for a while. */
  knows(row: ClaimedRow): boolean {
    if (this.#kinds.knows(row)) return true;
    const [key, { log }] = [actorKey(row), this.#ports];
    const waitMs = this.left.leave(key, undefined);
    log.info(
      { actor: key, version: row.stateVersion, waitMs },
      "an actor of a later version is left to the other nodes",
    );
    return false;
  }

  /** An actor cannot be brought to life here: it is left to the other nodes for a while. */
  leave(address: ActorAddress, error: unknown): void {
    const { log, metrics } = this.#ports;
    const key = actorKey(address);
    const waitMs = this.left.leave(key, error);
    metrics.actorFailed(address.kind, "internal");
    log.error({ err: error, actor: key, waitMs }, "an actor cannot be loaded; it is left to the other nodes");
  }

  /** Whoever claimed the row last has it: a call and a sweep may have claimed it one after the other. */
  #begin(activation: Activation | undefined): void {
    if (!activation) return;
    const present = this.#activations.get(activation.key);
    if (this.#closed || (present && present.row.epoch > activation.row.epoch)) {
      activation.abandon();
      if (this.#closed) this.#release(activation);
      return;
    }
    if (present) {
      present.abandon();
      this.#forget(present);
    }
    this.#activations.set(activation.key, activation);
    this.#ports.metrics.active(activation.row.kind, 1);
    activation.start();
  }

  #activationPorts(): ActivationPorts {
    const { store, clock, rng, log, metrics, membership } = this.#ports;
    return {
      nodeId: membership.self.id,
      store,
      clock,
      rng,
      log,
      metrics,
      lease: () => membership.lease(),
      enterTurn: (row, origin) => this.#gate.enter(row, origin),
      deliver: (messages) => this.#outbox().deliver(messages),
      lookForMessages: () => this.#outbox().resume(),
      waits: (wait) => this.#onWait(wait),
      arm: (key, due) => (due === null ? this.#heap.disarm(key) : this.#heap.arm(key, due)),
      drop: (activation) => this.#drop(activation),
    };
  }

  #drop(activation: Activation): void {
    if (this.#forget(activation)) this.#release(activation);
  }

  /** Of what has no row, a turn under way may be making it. */
  #release({ row, isIdle }: Activation): void {
    if (!row.isNew) this.#releases.add([row]);
    else if (!isIdle) this.#releases.addDoubtful(row);
  }

  #forget(activation: Activation): boolean {
    if (this.#activations.get(activation.key) !== activation) return false;
    this.#activations.delete(activation.key);
    this.#heap.disarm(activation.key);
    this.#ports.blame.forget(activation.row);
    this.#ports.metrics.active(activation.row.kind, -1);
    return true;
  }

  /** Releases the rows of what has ended here; what fails, or somebody else has locked, is tried again the next time. */
  release(): Promise<void> {
    return this.#releases.flush();
  }

  /** Lets actors go that nobody has used for `idleMs` and whose next timer is far away. */
  passivate(idleMs: number): void {
    const before = this.#ports.clock.monotonic() - idleMs;
    const dueAfter = this.#ports.clock.now() + PASSIVATE_IF_DUE_AFTER_MS;
    const idle = [...this.#activations.values()].filter(
      ({ isIdle, lastUsed, soonestDue }) =>
        isIdle && lastUsed < before && (soonestDue === null || soonestDue > dueAfter),
    );
    this.#letGo(idle);
  }

  /**
   * Lets up to `count` actors go that may move and that `wanted` takes, to be released: idle ones first, then others once their running
   * turn has ended. On a node with too much to do hardly any is idle.
   */
  letGoSome(count: number, wanted: (key: string) => boolean): void {
    const chosen: Activation[] = [];
    const [idle, busy]: [Activation[], Activation[]] = [[], []];
    for (const activation of this.#activations.values()) (activation.isIdle ? idle : busy).push(activation);
    for (const activation of [...idle, ...busy]) {
      if (chosen.length + 1 > count) break;
      if (!this.#ending.has(activation) && activation.mayMove && wanted(activation.key)) chosen.push(activation);
    }
    this.#letGo(chosen.filter(({ isIdle }) => isIdle));
    for (const activation of chosen) if (!activation.isIdle) this.#letGoOnce(activation, activation.endToMove());
  }

  /** This node was silent for so long that peers may own its actors by now: all memory of them is dropped, and what still is ours is freed. */
  abandonAll(): void {
    for (const activation of [...this.#activations.values()]) {
      activation.abandon();
      this.#drop(activation);
    }
  }

  /** This node cannot reach the database, and so frees nothing: it forgets its actors, whose rows stay its own until a peer takes them. */
  forgetAll(): void {
    for (const activation of [...this.#activations.values()]) {
      activation.abandon();
      this.#forget(activation);
    }
  }

  /**
   * Frees every actor, the idle ones at once and the others as their running turns end; nothing settles here afterwards. What cannot
   * be released is tried again until `until` (monotonic). `onReleased` is called after each part, so that peers need not wait for the
   * slowest turn.
   */
  async drain(until: number, onReleased: () => Promise<void>): Promise<void> {
    const { clock } = this.#ports;
    this.#closed = true;
    this.#heap.stop();
    for (;;) {
      this.#letGo([...this.#activations.values()]);
      if (await this.#releaseSome()) await onReleased();
      const isDone =
        this.#activations.size + this.#ending.size + this.#arriving.size + this.#loading.size + this.#releases.size ===
        0;
      if (isDone || clock.monotonic() >= until) return;
      await sleep(clock, DRAIN_EVERY_MS);
    }
  }

  /** Whether there was anything to release. */
  async #releaseSome(): Promise<boolean> {
    if (this.#releases.size === 0) return false;
    await this.#releases.flush().catch((error: unknown) => {
      this.#ports.log.warn({ err: error }, "actors could not be released in a drain; it goes on");
    });
    return true;
  }

  /** Ends activations: the idle ones now, the others once their running turn has ended. */
  #letGo(activations: readonly Activation[]): void {
    for (const activation of activations) {
      if (activation.isIdle) {
        activation.abandon();
        this.#drop(activation);
        continue;
      }
      if (!this.#ending.has(activation))
        this.#letGoOnce(
          activation,
          activation.end().then(() => true),
        );
    }
  }

  /** Drops an activation once it has ended; `false`: it goes on. */
  #letGoOnce(activation: Activation, ended: Promise<boolean>): void {
    this.#ending.add(activation);
    void ended.then((hasEnded) => {
      this.#ending.delete(activation);
      if (hasEnded) this.#drop(activation);
    });
  }
}
