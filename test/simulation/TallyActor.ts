import { Actor, type TimerHandlers } from "../../src/actors/runtime/Actor.ts";

/** What an actor has told others, and been told. */
export interface TallyState {
  /** The name of everything that took effect: what happened twice is there twice. */
  done: string[];
  /** How many messages it has sent to each actor. */
  sent: Record<string, number>;
  /** The numbers of the messages that it had from each actor, as they came. */
  heard: Record<string, number[]>;
  /** How many events it has published. */
  said: number;
}

/** An event of the topic `NEWS`. */
export interface News {
  from: string;
  n: number;
  name: string;
}

export const NEWS = "news";

/** Keeps account of everything that took effect, in its state and in rows of `effects`. */
export class TallyActor extends Actor<TallyState> {
  static readonly kind = "tally";
  static initial(): TallyState {
    return { done: [], sent: {}, heard: {}, said: 0 };
  }

  /** A turn of one statement. */
  async note(name: string): Promise<number> {
    return this.state.done.push(name);
  }

  /** A turn with SQL of its own. */
  async write(name: string): Promise<number> {
    await this.#row(name, 0);
    return this.state.done.push(name);
  }

  /** A turn that sends another actor. */
  async pass(name: string, to: string): Promise<number> {
    const { sent } = this.state;
    sent[to] = (sent[to] ?? 0) + 1;
    this.send(TallyActor, to).hear(this.id, sent[to], name);
    return this.state.done.push(name);
  }

  async hear(from: string, n: number, name: string): Promise<void> {
    this.state.heard[from] = [...(this.state.heard[from] ?? []), n];
    this.state.done.push(`heard ${name}`);
  }

  /** A turn with an event. */
  async announce(name: string): Promise<number> {
    this.state.said += 1;
    this.publish(NEWS, { type: "done", data: { from: this.id, n: this.state.said, name } satisfies News });
    return this.state.done.push(name);
  }

  /** From now on both of its timers come again and again. */
  async startTicking(): Promise<void> {
    if (this.due("tick") === undefined) this.every("tick", 700, { policy: "fire" });
    if (this.due("tock") === undefined) this.every("tock", 1100, { policy: "coalesce" });
  }

  async count(): Promise<number> {
    return this.state.done.length;
  }

  readonly timers: TimerHandlers = {
    tick: async ({ seq }) => this.#row("tick", seq),
    tock: async ({ seq }) => this.#row("tock", seq),
  };

  async #row(name: string, seq: number): Promise<void> {
    const sql = await this.sql();
    await sql.write("INSERT INTO effects (actor, name, seq) VALUES (?, ?, ?)", [this.id, name, seq]);
  }
}
