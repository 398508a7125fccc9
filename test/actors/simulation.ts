import { Actor, type ActorContext, type ActorType, type TimerHandlers } from "../../src/actors/runtime/Actor.ts";
import type { ActorStore } from "../../src/actors/runtime/ActorStore.ts";
import { Actors } from "../../src/actors/runtime/Actors.ts";
import { MemoryBus, type MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import type { Beat, Log, NodeInfo, RuntimeMetrics } from "../../src/actors/runtime/ports.ts";
import type { ActorKind } from "../../src/actors/runtime/Residents.ts";
import type { Clock } from "../../src/clock.ts";
import { seededRng } from "../../src/clock.ts";
import type { Database } from "../../src/entities/sql.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";

/** Time that moves only when a test says so; callbacks run in the order they are due, and what they start settles in between. */
export class ManualClock implements Clock {
  #now: number;
  #nextId = 1;
  readonly #scheduled = new Map<number, { due: number; callback: () => void }>();
  /** How far the wall clock is off the monotonic one. */
  wallOffset = 0;

  constructor(start = 1_800_000_000_000) {
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
    this.#scheduled.set(id, { due: this.#now + Math.max(0, ms), callback });
    return () => this.#scheduled.delete(id);
  }

  /** Moves time forward, letting everything that becomes due (and all that follows from it) happen on the way. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      let first: [number, { due: number; callback: () => void }] | undefined;
      for (const entry of this.#scheduled)
        if (entry[1].due <= end && (!first || entry[1].due < first[1].due)) first = entry;
      if (!first) break;
      this.#scheduled.delete(first[0]);
      this.#now = Math.max(this.#now, first[1].due);
      first[1].callback();
      await settle();
    }
    this.#now = end;
  }
}

/** Lets pending promises and immediates run: everything in a simulated cluster is a chain of those. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 12; round++) await new Promise((resolve) => setImmediate(resolve));
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

export const noMetrics: RuntimeMetrics = { turn() {}, timerLateness() {}, active() {}, actorFailed() {} };

/** Resolves an actor class without further needs. */
export function kindOf<S>(type: ActorType<Actor<S>>): ActorKind {
  const Type = type as unknown as new (context: ActorContext) => Actor<unknown>;
  return { type: type as unknown as ActorType<Actor<unknown>>, create: (context) => new Type(context) };
}

/** A node's way to the shared memory that a test can cut. */
export class CuttableBus extends MemoryBus {
  cut = false;

  override async beat(info: NodeInfo, count: number): Promise<Beat[]> {
    if (this.cut) throw new Error("the shared memory is out of reach");
    return super.beat(info, count);
  }

  override async send(nodeId: string, message: string): Promise<boolean> {
    return this.cut ? false : super.send(nodeId, message);
  }

  override async broadcast(message: string): Promise<void> {
    if (!this.cut) await super.broadcast(message);
  }
}

/**
 * A node of a simulated cluster. `crash()` stops it as SIGKILL would: from then on nothing that it does reaches the database, the
 * bus or the clock, whatever it was in the middle of.
 */
export class SimulatedNode {
  readonly actors: Actors;
  readonly bus: CuttableBus;
  readonly feed: MemoryFeed;
  #crashed = false;

  constructor(
    readonlyParts: { id: string; hub: MemoryHub; database: Database; clock: Clock; feed?: MemoryFeed; seed?: number },
    kinds: readonly ActorKind[],
    options: {
      makeStore?: (database: Database, nodeId: string) => ActorStore;
      role?: NodeInfo["role"];
      idleMs?: number;
    } = {},
  ) {
    const { id, hub, database, clock, feed, seed } = readonlyParts;
    this.bus = new CuttableBus(hub);
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
      database: this.#mortal(database),
      feed: this.feed,
      clock: this.#mortalClock(clock),
      rng: seededRng(seed ?? 1),
      log: silentLog,
      metrics: noMetrics,
      ...(options.makeStore ? { makeStore: options.makeStore } : {}),
      ...(options.idleMs === undefined ? {} : { idleMs: options.idleMs }),
    });
  }

  async crash(): Promise<void> {
    this.#crashed = true;
    this.bus.cut = true;
    await this.bus.close();
  }

  get crashed(): boolean {
    return this.#crashed;
  }

  /** After the crash every promise of the database stays pending, as it does for a process that is not there any more. */
  #mortal(database: Database): Database {
    const node = this;
    const never = new Promise<never>(() => {});
    const guard = <T extends object>(target: T): T =>
      new Proxy(target, {
        get(source, name) {
          const value = Reflect.get(source, name, source);
          if (typeof value !== "function") return value;
          return async (...args: unknown[]) => {
            if (node.#crashed) return abandon(source, name, never);
            const result = await (value as (...all: unknown[]) => unknown).apply(source, args);
            if (node.#crashed) return abandon(source, name, never, result);
            return name === "begin" ? guard(result as object) : result;
          };
        },
      });
    const abandon = async (
      source: object,
      name: string | symbol,
      forever: Promise<never>,
      result?: unknown,
    ): Promise<never> => {
      // A dead process's open transaction is rolled back by the server.
      const open = name === "begin" ? result : source;
      if (typeof open === "object" && open !== null && "rollback" in open && name !== "commit" && name !== "rollback")
        await (open as { rollback(): Promise<void> }).rollback();
      return forever;
    };
    return guard(database);
  }

  #mortalClock(clock: Clock): Clock {
    return {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      schedule: (callback, ms) =>
        clock.schedule(() => {
          if (!this.#crashed) callback();
        }, ms),
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
    this.tell(CounterActor, to).add(10);
  }

  async startTicking(ms: number, policy: "fire" | "skip" | "coalesce"): Promise<void> {
    this.every("tick", ms, { policy });
  }

  async stopTicking(): Promise<void> {
    this.cancel("tick");
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
