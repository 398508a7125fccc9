import assert from "node:assert/strict";
import { Actor, type ActorContext, type TimerHandlers } from "../../src/actors/runtime/Actor.ts";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import type { Database } from "../../src/entities/sql.ts";
import { RingmasterError } from "../../src/errors.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import type { Mishap } from "./ProcessLife.ts";
import { kindOf, ManualClock, SimulatedNode } from "./simulation.ts";

/** Keeps the name of everything that took effect in its state, where what happened twice is there twice. */
export class TallyActor extends Actor<{ done: string[] }> {
  static readonly kind = "tally";
  static initial(): { done: string[] } {
    return { done: [] };
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

  async pass(name: string, to: string): Promise<number> {
    this.tell(TallyActor, to).note(`heard ${name}`);
    return this.state.done.push(name);
  }

  async announce(name: string): Promise<number> {
    this.publish("news", { type: "done", data: name });
    return this.state.done.push(name);
  }

  async tick(): Promise<void> {
    if (this.due("tick") === undefined) this.every("tick", 700, { policy: "fire" });
  }

  async count(): Promise<number> {
    return this.state.done.length;
  }

  readonly timers: TimerHandlers = { tick: async ({ seq }) => this.#row("tick", seq) };

  async #row(name: string, seq: number): Promise<void> {
    const sql = await this.sql();
    await sql.write("INSERT INTO effects (actor, name, seq) VALUES (?, ?, ?)", [this.id, name, seq]);
  }

  constructor(context: ActorContext) {
    super(context);
  }
}

export const SLOTS = 3;
export const ACTORS = ["w", "x", "y", "z"];
export const METHODS = ["note", "write", "pass", "announce", "tick", "count"] as const;

/** What a schedule is made of; each step is followed by `thenMs` of peace. */
export type Step = { thenMs: number } & (
  | { do: "call"; slot: number; actor: number; method: (typeof METHODS)[number]; hasRequestId: boolean }
  | { do: "mishap"; slot: number; mishap: Mishap; afterOperations: number }
  | { do: "kill" | "restart" | "cut" | "mend" | "stall" | "wake" | "drain" | "mislay"; slot: number }
);

interface Call {
  name: string;
  actor: string;
  method: (typeof METHODS)[number];
  requestId: string | undefined;
  node: SimulatedNode;
  /** Undefined as long as nobody has heard of it: for ever, when the caller dies. */
  outcome: "answered" | "nothing happened" | "unknown" | undefined;
  /** How many effects on its actor had been acknowledged when it began. */
  knownBefore: number;
}

/** A simulated cluster to which bad things happen, and the history of what its callers were told. */
export class CrashWorld {
  readonly #database: Database;
  readonly #clock = new ManualClock();
  readonly #hub = new MemoryHub();
  readonly #feed = new MemoryFeed(this.#clock);
  readonly #slots: (SimulatedNode | undefined)[] = Array.from({ length: SLOTS });
  readonly #draining = new Set<SimulatedNode>();
  readonly #everybody: SimulatedNode[] = [];
  readonly #calls: Call[] = [];
  readonly #news: unknown[] = [];
  readonly #complaints: string[] = [];

  constructor(database: Database) {
    this.#database = database;
  }

  async play(steps: readonly Step[]): Promise<void> {
    for (const table of ["actors", "actor_outbox", "actor_requests", "effects"])
      await this.#database.write(`DELETE FROM ${table}`);
    await this.#feed.follow("news", ({ data }) => this.#news.push(data));
    for (let slot = 0; slot < SLOTS; slot += 1) this.#start(slot);
    await this.#clock.advance(600);
    for (const step of steps) {
      await this.#perform(step);
      await this.#clock.advance(step.thenMs);
    }
    await this.#heal();
    await this.#settleAccounts();
    await this.end();
  }

  /** Ends all processes, so that nothing of this world goes on. */
  async end(): Promise<void> {
    for (const node of this.#everybody) await node.crash();
  }

  #start(slot: number): void {
    const id = `n${this.#everybody.length}`;
    const parts = { id, hub: this.#hub, database: this.#database, clock: this.#clock, feed: this.#feed };
    const node = new SimulatedNode({ ...parts, seed: this.#everybody.length }, [kindOf(TallyActor)], { idleMs: 4000 });
    this.#slots[slot] = node;
    this.#everybody.push(node);
    // One whose database fails now does not come up, and its supervisor ends it.
    node.actors.start().catch(() => node.crash());
  }

  /** The node in a slot; undefined when there is none that does anything. */
  #at(slot: number): SimulatedNode | undefined {
    const node = this.#slots[slot];
    return node && !node.crashed ? node : undefined;
  }

  async #perform(step: Step): Promise<void> {
    const node = this.#at(step.slot);
    if (step.do === "restart" && !node) this.#start(step.slot);
    if (!node) return;
    switch (step.do) {
      case "call":
        if (!node.life.isStalled) this.#call(node, step);
        break;
      case "mishap":
        befall(node, step.mishap, step.afterOperations);
        break;
      case "kill":
        await node.crash();
        break;
      case "cut":
        node.bus.cut = true;
        break;
      case "mend":
        node.bus.cut = false;
        break;
      case "mislay":
        node.bus.mislays += 1;
        break;
      case "stall":
        await node.life.stall();
        break;
      case "wake":
        node.life.wake();
        break;
      case "drain":
        this.#drain(node);
    }
  }

  #drain(node: SimulatedNode): void {
    if (this.#draining.has(node)) return;
    this.#draining.add(node);
    const leave = async (): Promise<void> => {
      await node.actors.drain();
      await node.actors.stop();
      await node.crash();
    };
    void leave().catch(() => node.crash());
  }

  #call(node: SimulatedNode, { actor, method, hasRequestId }: Step & { do: "call" }): void {
    const name = `c${this.#calls.length}`;
    const call: Call = {
      name,
      actor: ACTORS[actor]!,
      method,
      requestId: hasRequestId ? name : undefined,
      node,
      outcome: undefined,
      knownBefore: this.#calls.filter((other) => other.actor === ACTORS[actor] && isKnownEffect(other)).length,
    };
    this.#calls.push(call);
    void this.#attempt(call, node);
  }

  async #attempt(call: Call, node: SimulatedNode): Promise<void> {
    const { name, actor, method, requestId } = call;
    call.node = node;
    call.outcome = undefined;
    const args = method === "pass" ? [name, ACTORS[(ACTORS.indexOf(actor) + 1) % ACTORS.length]] : [name];
    try {
      const answer = await node.actors.call({ kind: "tally", id: actor }, method, args, {
        deadlineMs: 5000,
        ...(requestId === undefined ? {} : { requestId }),
      });
      call.outcome = "answered";
      if (method === "count" && (answer as number) < call.knownBefore)
        this.#complaints.push(`${name} on ${actor} read ${answer}, and ${call.knownBefore} were known`);
    } catch (error) {
      const code = error instanceof RingmasterError ? error.code : String(error);
      call.outcome = OUTCOMES[code as keyof typeof OUTCOMES] ?? "unknown";
      if (!(code in OUTCOMES)) this.#complaints.push(`${name} on ${actor} ended with ${code}`);
    }
  }

  /** Everything works again, crashed actors are pardoned, and whoever has a request id asks until there is an answer. */
  async #heal(): Promise<void> {
    for (const [slot, node] of this.#slots.entries()) {
      if (!node || node.crashed || this.#draining.has(node)) {
        await node?.crash();
        this.#start(slot);
        continue;
      }
      node.life.onOperation = () => undefined;
      node.bus.mislays = 0;
      node.bus.cut = false;
      node.life.wake();
    }
    await this.#database.write("UPDATE actors SET crashes = 0");
    // What a stalled node goes on with, and nobody waits for, is not seen until it is done.
    await this.#clock.advance(10_000);
    for (let waited = 0; waited < 120 && !(await this.#isAtRest()); waited += 1) await this.#clock.advance(1000);
    assert.ok(await this.#isAtRest(), "the cluster comes to rest");
  }

  async #isAtRest(): Promise<boolean> {
    const open = this.#calls.filter(({ outcome, node }) => outcome === undefined && !node.crashed);
    const again = this.#calls.filter(
      ({ requestId, outcome, node }) =>
        requestId !== undefined && outcome !== "answered" && (outcome !== undefined || node.crashed),
    );
    for (const call of again) void this.#attempt(call, this.#at(0)!);
    const undelivered = await this.#database.query("SELECT 1 FROM actor_outbox");
    const late = await this.#database.query("SELECT 1 FROM actors WHERE due_at < ?", [this.#clock.now() - 1000]);
    return open.length + again.length + undelivered.length + late.length === 0;
  }

  async #settleAccounts(): Promise<void> {
    assert.deepEqual(this.#complaints, []);
    const rows = await this.#database.query<{ id: string; state: string; timers: string }>("SELECT * FROM actors");
    const done = new Map(rows.map(({ id, state }) => [id, (JSON.parse(state) as { done: string[] }).done]));
    const times = (actor: string, name: string): number =>
      (done.get(actor) ?? []).filter((text) => text === name).length;
    const effects = await this.#database.query<{ actor: string; name: string; seq: number }>(
      "SELECT actor, name, seq FROM effects ORDER BY actor, seq",
    );
    for (const { name, actor, method, outcome, requestId } of this.#calls) {
      if (method === "tick" || method === "count") continue;
      const n = times(actor, name);
      const what = `${method} ${name} on ${actor}${requestId ? " with a request id" : ""}: ${outcome}, ${n} times`;
      if (outcome === "answered") assert.equal(n, 1, what);
      else if (outcome === "nothing happened") assert.equal(n, 0, what);
      else assert.ok(n <= 1, what);
      if (method === "write")
        assert.equal(effects.filter((effect) => effect.name === name).length, n, `rows of ${what}`);
      if (method === "announce") assert.equal(this.#news.filter((text) => text === name).length, n, `news of ${what}`);
      const heard = ACTORS.reduce((sum, other) => sum + times(other, `heard ${name}`), 0);
      if (method === "pass") assert.equal(heard, n, `told by ${what}`);
    }
    for (const { id, timers } of rows) {
      const seqs = effects.filter(({ actor, name }) => actor === id && name === "tick").map(({ seq }) => Number(seq));
      const [tick] = JSON.parse(timers) as { seq: number }[];
      const all = Array.from({ length: (tick?.seq ?? 1) - 1 }, (_, at) => at + 1);
      assert.deepEqual(seqs, all, `firings of ${id}`);
    }
  }
}

const OUTCOMES = {
  not_delivered: "nothing happened",
  overloaded: "nothing happened",
  actor_quarantined: "nothing happened",
  outcome_unknown: "unknown",
} as const;

function isKnownEffect({ method, outcome }: Call): boolean {
  return outcome === "answered" && method !== "count" && method !== "tick";
}

/** Lets something happen to a node a given number of database operations from now; half of these are between doing and telling. */
function befall(node: SimulatedNode, mishap: Mishap, afterOperations: number): void {
  let left = afterOperations;
  node.life.onOperation = () => {
    left -= 1;
    return left === -1 ? mishap : undefined;
  };
}
