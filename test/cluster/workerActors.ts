import { Actor, type ActorContext, type ActorType, type TimerHandlers } from "../../src/actors/runtime/Actor.ts";
import type { ActorKind } from "../../src/actors/runtime/ActorKinds.ts";
import type { MissedPolicy } from "../../src/actors/runtime/timers.ts";
import { systemClock } from "../../src/clock.ts";

/** What the actors of a worker know of the process that they live in. */
export interface WorkerNode {
  readonly id: string;
  /** Whether its actors may be moved for the sake of balance. Most tests put them where they want them. */
  readonly balances: boolean;
  /** A turn is in the middle for `ms` milliseconds: it has begun, and waits. */
  inTheMiddle(ms: number): Promise<void>;
}

export interface Ticking {
  everyMs: number;
  /** Epoch milliseconds of the first firing: actors that share it fire together. */
  first?: number;
  /** How long each firing waits before its SQL, in milliseconds. */
  pauseMs?: number;
  /** Whether it waits with its transaction open, and so with its row locked, instead. */
  holdsLock?: boolean;
  /** Whether nothing but the actor's state tells of it, so that a firing is one statement. */
  isPlain?: boolean;
  /** What becomes of firings that come too late: `fire` unless told. */
  policy?: MissedPolicy;
}

/**
 * Writes each effect as a row of `effects`, which has no unique key: what takes effect twice is there twice.
 * A call's effect is named after the call; a timer's has the firing's number.
 * `ticks` counts the due times that its firings stood for.
 */
export class CounterActor extends Actor<{ count: number; ticks: number; ticking?: Ticking }> {
  static readonly kind = "counter";
  static initial(): { count: number; ticks: number } {
    return { count: 0, ticks: 0 };
  }

  readonly #node: WorkerNode;

  constructor(context: ActorContext, node: WorkerNode) {
    super(context);
    this.#node = node;
  }

  override mayMove(): boolean {
    return this.#node.balances;
  }

  async add(name: string): Promise<number> {
    this.state.count += 1;
    await this.#effect(name, this.state.count);
    return this.state.count;
  }

  async read(): Promise<number> {
    return this.state.count;
  }

  async startTicking(ticking: Ticking): Promise<void> {
    this.state.ticking = ticking;
    const { policy = "fire" } = ticking;
    this.every("tick", ticking.everyMs, { policy, ...(ticking.first ? { first: ticking.first } : {}) });
  }

  async announce(topic: string, text: string): Promise<void> {
    this.state.count += 1;
    await this.#effect("announce", this.state.count);
    this.publish(topic, { type: "announced", data: { text } });
  }

  readonly timers: TimerHandlers = {
    tick: async ({ seq, missed }) => {
      this.state.count += 1;
      this.state.ticks += 1 + missed;
      const { pauseMs = 0, holdsLock = false, isPlain = false } = this.state.ticking ?? {};
      if (isPlain) return;
      if (holdsLock) await this.sql();
      if (pauseMs > 0) await this.#node.inTheMiddle(pauseMs);
      await this.#effect("tick", seq);
    },
  };

  async #effect(name: string, seq: number): Promise<void> {
    const sql = await this.sql();
    await sql.write("INSERT INTO effects (actor, name, seq, node, at) VALUES (?, ?, ?, ?, ?)", [
      this.id,
      name,
      seq,
      this.#node.id,
      systemClock.now(),
    ]);
  }
}

/** Lives harmlessly, until a call of `die` takes its whole process along. */
export class PoisonActor extends Actor<{ lives: number }> {
  static readonly kind = "poison";
  static initial(): { lives: number } {
    return { lives: 0 };
  }

  override mayMove(): boolean {
    return false;
  }

  async plant(): Promise<void> {
    this.every("live", 500);
  }

  async die(): Promise<void> {
    process.kill(process.pid, "SIGKILL");
    await new Promise(() => {});
  }

  readonly timers: TimerHandlers = {
    live: async () => {
      this.state.lives += 1;
    },
  };
}

/** As a first version of its code has it. */
class Versioned1 extends Actor<{ sum: number }> {
  static readonly kind = "versioned";
  static initial(): { sum: number } {
    return { sum: 0 };
  }

  async add(amount: number): Promise<number> {
    this.state.sum += amount;
    return this.state.sum;
  }

  readonly timers: TimerHandlers = {};
}

/** The next version, which keeps what was added one by one. */
class Versioned2 extends Actor<{ entries: number[] }> {
  static readonly kind = "versioned";
  static readonly version = 2;
  static initial(): { entries: number[] } {
    return { entries: [] };
  }
  static migrate(state: unknown): { entries: number[] } {
    return { entries: [(state as { sum: number }).sum] };
  }

  async add(amount: number): Promise<number> {
    this.state.entries.push(amount);
    return this.state.entries.reduce((sum, entry) => sum + entry, 0);
  }

  readonly timers: TimerHandlers = {};
}

export function workerKinds(node: WorkerNode, version: 1 | 2 = 1): ActorKind[] {
  return [
    {
      type: (version === 1 ? Versioned1 : Versioned2) as unknown as ActorType<Actor<unknown>>,
      create: (context) => (version === 1 ? new Versioned1(context) : new Versioned2(context)) as Actor<unknown>,
    },
    {
      type: CounterActor as unknown as ActorType<Actor<unknown>>,
      create: (context) => new CounterActor(context, node) as Actor<unknown>,
    },
    {
      type: PoisonActor as unknown as ActorType<Actor<unknown>>,
      create: (context) => new PoisonActor(context) as Actor<unknown>,
    },
  ];
}
