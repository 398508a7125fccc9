import { Actor, type ActorContext, type ActorType, type TimerHandlers } from "../../src/actors/runtime/Actor.ts";
import type { ActorKind } from "../../src/actors/runtime/ActorKinds.ts";
import { systemClock } from "../../src/clock.ts";

/** No key but the order in which things took effect, whatever a clock said: what took effect twice is there twice. `due` is when a firing was due, else null. Times are epoch milliseconds. */
export const CHAOS_TABLES = [
  `CREATE TABLE chaos_effects (nth BIGINT AUTO_INCREMENT PRIMARY KEY, actor VARCHAR(64) NOT NULL, name VARCHAR(64) NOT NULL, seq BIGINT NOT NULL, node VARCHAR(32) NOT NULL,
    at BIGINT NOT NULL, due BIGINT) ENGINE=InnoDB`,
  `CREATE TABLE chaos_attempts (scheduled_at BIGINT NOT NULL, attempt INT NOT NULL, node VARCHAR(32) NOT NULL) ENGINE=InnoDB`,
];

export const TICK_MS = 1000;

interface State {
  count: number;
  /** How many messages it has sent to each actor. */
  sent: Record<string, number>;
}

/** Writes down each call, each tell that it hears and each firing of its timer. */
export class ChaosActor extends Actor<State> {
  static readonly kind = "chaos";
  static initial(): State {
    return { count: 0, sent: {} };
  }

  async add(name: string): Promise<number> {
    this.state.count += 1;
    await this.#effect(name, this.state.count);
    return this.state.count;
  }

  /** Tells another one. */
  async pass(name: string, to: string): Promise<number> {
    const { sent } = this.state;
    sent[to] = (sent[to] ?? 0) + 1;
    this.send(ChaosActor, to).hear(this.id, sent[to]);
    return this.add(name);
  }

  async hear(from: string, n: number): Promise<void> {
    await this.#effect(`heard ${from}`, n);
  }

  async startTicking(): Promise<void> {
    if (this.due("tick") === undefined) this.every("tick", TICK_MS, { policy: "fire" });
  }

  async count(): Promise<number> {
    return this.state.count;
  }

  readonly timers: TimerHandlers = { tick: ({ seq, dueAt }) => this.#effect("tick", seq, dueAt) };

  async #effect(name: string, seq: number, due: number | null = null): Promise<void> {
    const sql = await this.sql();
    await sql.write("INSERT INTO chaos_effects (actor, name, seq, node, at, due) VALUES (?, ?, ?, ?, ?, ?)", [
      ...[this.id, name, seq, this.place.nodeId, systemClock.now(), due],
    ]);
  }
}

export const chaosKind: ActorKind = {
  type: ChaosActor as unknown as ActorType<Actor<unknown>>,
  create: (context: ActorContext) => new ChaosActor(context) as Actor<unknown>,
};
