import { Actor, type ActorContext, type ActorType, type TimerHandlers } from "../../src/actors/runtime/Actor.ts";
import type { ActorKind } from "../../src/actors/runtime/ActorKinds.ts";
import type { ActorStore } from "../../src/actors/runtime/ActorStore.ts";
import { Actors } from "../../src/actors/runtime/Actors.ts";
import { MemoryBus, type MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import type { BeatAnswer, Log, NodeInfo, RuntimeMetrics } from "../../src/actors/runtime/ports.ts";
import type { Clock } from "../../src/clock.ts";
import { seededRng } from "../../src/clock.ts";
import type { Database } from "../../src/entities/sql.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import { MortalDatabase, undergo } from "./MortalDatabase.ts";
import { Places } from "./Places.ts";
import { ProcessLife } from "./ProcessLife.ts";

/** Time that moves only when a test says so; callbacks run in the order they are due, and what they start settles in between. */
export class ManualClock implements Clock {
  #now: number;
  #nextId = 1;
  /** Callbacks, of which `#queue` knows the order. */
  readonly #scheduled = new Map<number, () => void>();
  readonly #queue = new DueQueue();
  /** How far the wall clock is off the monotonic one. */
  wallOffset = 0;
  /**
   * Whether something real is under way that no time is to pass beside: on a busy machine a real database answers after more of it than a
   * test has.
   */
  isBusy: () => boolean = () => false;

  /** Unless told, it starts on a Friday of 2084: ahead of real databases, by whose clock nothing then ends. */
  constructor(start = 3_598_675_200_000) {
    this.#now = start;
  }

  now(): number {
    return this.#now + this.wallOffset;
  }

  monotonic(): number {
    return this.#now;
  }

  schedule(callback: () => void, ms: number): () => void {
    const id = this.#nextId++;
    this.#scheduled.set(id, callback);
    this.#queue.push({ due: this.#now + Math.max(0, ms), id });
    return () => this.#scheduled.delete(id);
  }

  /** Moves time forward, letting everything that becomes due (and all that follows from it) happen on the way. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await this.#settle();
    for (let first = this.#queue.first; first && first.due <= end; first = this.#queue.first) {
      this.#queue.shift();
      const callback = this.#scheduled.get(first.id);
      if (!this.#scheduled.delete(first.id)) continue;
      this.#now = Math.max(this.#now, first.due);
      callback!();
      await this.#settle();
    }
    this.#now = end;
  }

  async #settle(): Promise<void> {
    do await settle();
    while (this.isBusy());
  }

  /** Runs `work` to its end while time passes in steps of `stepMs`; rejects when that takes more than `ms` of it. */
  async within<T>(ms: number, work: Promise<T>, stepMs = 5): Promise<T> {
    let isDone = false;
    const tracked = work.finally(() => {
      isDone = true;
    });
    tracked.catch(() => {});
    for (let passed = 0; passed < ms && !isDone; passed += stepMs) await this.advance(stepMs);
    if (!isDone) throw new Error(`not done within ${ms} ms`);
    return tracked;
  }
}

/** What is due, the soonest first, and in the order it came where that is equal: a binary heap. */
class DueQueue {
  readonly #heap: Array<{ due: number; id: number }> = [];

  get first(): { due: number; id: number } | undefined {
    return this.#heap[0];
  }

  push(entry: { due: number; id: number }): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    for (let parent = (at - 1) >> 1; at > 0 && isSooner(entry, heap[parent]!); parent = (at - 1) >> 1) {
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  shift(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isSooner(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isSooner(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

function isSooner(one: { due: number; id: number }, other: { due: number; id: number }): boolean {
  return one.due < other.due || (one.due === other.due && one.id < other.id);
}

/** Lets pending promises and immediates run: everything in a simulated cluster is a chain of those. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 12; round++) await new Promise((resolve) => setImmediate(resolve));
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

export const noMetrics: RuntimeMetrics = {
  turn() {},
  timerLateness() {},
  active() {},
  timersFailing() {},
  actorFailed() {},
  deadLetter() {},
  outboxLag() {},
  clockOff() {},
};

/** Resolves an actor class without further needs. */
export function kindOf<S>(type: ActorType<Actor<S>>): ActorKind {
  const Type = type as unknown as new (context: ActorContext) => Actor<unknown>;
  return { type: type as unknown as ActorType<Actor<unknown>>, create: (context) => new Type(context) };
}

/** A node's way to the shared memory that a test can cut, in both directions. */
export class CuttableBus extends MemoryBus {
  /** The next messages that are sent get lost on their way, and nobody is told. */
  mislays = 0;
  /** How long each copy of a message is under way, in milliseconds; one without a copy is lost, and nobody is told. */
  fate: () => readonly number[] = () => [0];
  readonly #clock: Clock;
  readonly #hub: MemoryHub;
  readonly #life: ProcessLife;
  #ear: { nodeId: string; hear: (message: string) => void } | undefined;
  #cut = false;

  constructor(hub: MemoryHub, life: ProcessLife, clock: Clock) {
    super(hub);
    this.#clock = clock;
    this.#hub = hub;
    this.#life = life;
  }

  get cut(): boolean {
    return this.#cut;
  }

  set cut(cut: boolean) {
    this.#cut = cut;
    if (!this.#ear) return;
    if (cut) this.#hub.ears.delete(this.#ear.nodeId);
    else this.#hub.ears.set(this.#ear.nodeId, this.#ear.hear);
  }

  override async listen(nodeId: string, onMessage: (message: string) => void): Promise<void> {
    const hear = (message: string): void => this.#life.reach(() => onMessage(message));
    this.#ear = { nodeId, hear };
    await super.listen(nodeId, hear);
  }

  override async beat(info: NodeInfo, count: number): Promise<BeatAnswer> {
    if (this.#cut) throw new Error("the shared memory is out of reach");
    const answer = await super.beat(info, count);
    return this.#life.reached(answer);
  }

  override async send(nodeId: string, message: string): Promise<boolean> {
    if (this.#cut) return false;
    if (this.mislays > 0) {
      this.mislays -= 1;
      return true;
    }
    const life = this.#life;
    await undergo(life, () => life.onMessage("before", `SEND ${typeOf(message)}`));
    const isHeard = this.#hub.ears.has(nodeId);
    if (isHeard) this.#carry(() => super.send(nodeId, message));
    await undergo(life, () => life.onMessage("after", `SEND ${typeOf(message)}`));
    return isHeard;
  }

  override async broadcast(message: string): Promise<void> {
    const life = this.#life;
    await undergo(life, () => life.onMessage("before", `BROADCAST ${typeOf(message)}`));
    if (!this.#cut) this.#carry(() => super.broadcast(message));
    await undergo(life, () => life.onMessage("after", `BROADCAST ${typeOf(message)}`));
  }

  /** What is under way arrives, whatever becomes of its sender. */
  #carry(arrive: () => unknown): void {
    for (const ms of this.fate()) {
      if (ms === 0) void arrive();
      else this.#clock.schedule(arrive, ms);
    }
  }
}

/** A call, a reply, a signal …: what a message says of itself. */
const typeOf = (message: string): string => /"type":"(\w+)"/.exec(message)?.[1] ?? "?";

export interface SimulatedOptions {
  makeStore?: (database: Database, nodeId: string) => ActorStore;
  role?: NodeInfo["role"];
  idleMs?: number;
  metrics?: RuntimeMetrics;
  /** Its connections to the database are as many, for each class of work, as those of a node on MySQL. */
  hasPlaces?: boolean;
}

/** A node of a simulated cluster, of which a test says when it dies, stalls, or loses its connections. */
export class SimulatedNode {
  readonly id: string;
  readonly life = new ProcessLife();
  /** How long its machine was suspended in all, in milliseconds: its monotonic clock stood still then. */
  suspendedMs = 0;
  /** How far its wall clock is off the cluster's, in milliseconds: positive is ahead. It may change at any time. */
  wallOffset = 0;
  /** As the process has it: what it schedules dies, stalls and wakes with it. */
  readonly clock: Clock;
  readonly actors: Actors;
  readonly bus: CuttableBus;
  readonly feed: MemoryFeed;
  readonly places = new Places(this.life);
  /** Nothing that it asks the database is answered any more, while its peers' questions are. */
  databaseCut = false;

  constructor(
    parts: { id: string; hub: MemoryHub; database: Database; clock: Clock; feed?: MemoryFeed; seed?: number },
    kinds: readonly ActorKind[],
    options: SimulatedOptions = {},
  ) {
    const { id, hub, database, clock, feed, seed } = parts;
    this.id = id;
    this.clock = this.#mortal(clock);
    this.bus = new CuttableBus(hub, this.life, clock);
    this.life.onOperation = () => (this.databaseCut ? "fall silent" : undefined);
    this.life.pass = (ms) => new Promise((resolve) => void this.clock.schedule(resolve, ms));
    this.life.onDeath = () => this.bus.close();
    this.feed = feed ?? new MemoryFeed();
    this.actors = new Actors({
      node: { id, role: options.role ?? "all" },
      kinds: [
        ...kinds,
        {
          type: LoopActor as unknown as ActorType<Actor<unknown>>,
          create: (context) => new LoopActor(context, () => this.actors) as unknown as Actor<unknown>,
        },
      ],
      bus: this.bus,
      database: new MortalDatabase(database, this.life, options.hasPlaces ? this.places : undefined),
      feed: this.feed,
      clock: this.clock,
      rng: seededRng(seed ?? 1),
      log: silentLog,
      metrics: options.metrics ?? noMetrics,
      ...(options.makeStore ? { makeStore: options.makeStore } : {}),
      ...(options.idleMs === undefined ? {} : { idleMs: options.idleMs }),
    });
  }

  get crashed(): boolean {
    return this.life.isDead;
  }

  /** Ends it as SIGKILL would, whatever it is in the middle of. */
  crash(): Promise<void> {
    return this.life.die();
  }

  #mortal(clock: Clock): Clock {
    return {
      now: () => clock.now() + this.wallOffset,
      monotonic: () => clock.monotonic() - this.suspendedMs,
      schedule: (callback, ms) => {
        let isCancelled = false;
        const cancel = clock.schedule(
          () =>
            this.life.reach(() => {
              if (!isCancelled) callback();
            }),
          ms,
        );
        return () => {
          isCancelled = true;
          cancel();
        };
      },
    };
  }
}

/** Counts, and writes each effect into the table `effects` without any unique key: doubles would be seen. */
export class CounterActor extends Actor<{ count: number }> {
  static readonly kind: string = "counter";
  static initial(): { count: number } {
    return { count: 0 };
  }

  async add(by: number): Promise<number> {
    this.state.count += by;
    return this.state.count;
  }

  async read(): Promise<number> {
    return this.state.count;
  }

  async addThenThrow(): Promise<void> {
    this.state.count += 100;
    await this.effect("throw", 1);
    throw new Error("as asked");
  }

  async announce(topic: string): Promise<void> {
    this.state.count += 1;
    this.publish(topic, { type: "counted", data: { count: this.state.count } });
  }

  async passOn(to: string): Promise<void> {
    this.state.count += 1;
    this.send(CounterActor, to).add(10);
  }

  async startTicking(ms: number, policy: "fire" | "skip" | "coalesce"): Promise<void> {
    this.every("tick", ms, { policy });
  }

  async stopTicking(): Promise<void> {
    this.cancelTimer("tick");
  }

  protected async effect(name: string, seq: number): Promise<void> {
    const sql = await this.sql();
    await sql.write("INSERT INTO effects (actor, name, seq) VALUES (?, ?, ?)", [this.id, name, seq]);
  }

  readonly timers: TimerHandlers = {
    tick: async ({ seq }) => {
      this.state.count += 1;
      await this.effect("tick", seq);
    },
  };
}

/** Calls itself through another actor: a chain that comes back. */
export class LoopActor extends Actor<Record<string, never>> {
  static readonly kind = "loop";
  static initial(): Record<string, never> {
    return {};
  }
  readonly timers: TimerHandlers = {};
  readonly #actors: () => Actors;

  constructor(context: ActorContext, actors: () => Actors) {
    super(context);
    this.#actors = actors;
  }

  async visit(path: string[]): Promise<string> {
    const [next, ...rest] = path;
    return next === undefined ? this.id : this.#actors().ref(LoopActor, next).visit(rest);
  }
}

export const EFFECTS_TABLE =
  "CREATE TABLE effects (actor VARCHAR(64) NOT NULL, name VARCHAR(32) NOT NULL, seq BIGINT NOT NULL)";
