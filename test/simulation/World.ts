import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import { type Rng, seededRng } from "../../src/clock.ts";
import type { Database } from "../../src/entities/sql.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import { ManualClock } from "../actors/simulation.ts";
import type { Bots, Domain } from "./Domain.ts";
import { FAULTS } from "./faults.ts";
import type { Step } from "./schedule.ts";
import { Trace } from "./Trace.ts";
import { WorldNode } from "./WorldNode.ts";

export const SLOTS = 4;
const TTL_MS = 3000;
/** All nodes are up and know each other. */
const BEGIN_MS = 600;
/** So long after the last fault everything must have been taken up again, in milliseconds. */
const RECOVERY_MS = TTL_MS + 2000;
/** What is due may be late by this, in milliseconds, on a cluster at which nothing is wrong. */
const LATENESS_MS = 1000;
/** What still backs off from the faults, or waits for its deadline, has come to its end after this, in milliseconds. */
const REST_MS = 180_000;
/** A question about the world has its answer after this, in milliseconds: transactions take time of the world's. */
const ASK_MS = 60_000;

/** What becomes of messages between nodes: the time on the way of each copy, in milliseconds. */
export type Network = (rng: Rng) => readonly number[];

const sound: Network = () => [0];

export interface WorldOptions {
  seed: number;
  domains: readonly Domain[];
  /** Lines of the trace that can be read afterwards. */
  keepsLines?: number;
}

/** What a run came to. */
export interface Played {
  /** Differs when anything happened in another order. */
  hash: string;
  /** What should not be; nothing when all held. */
  violations: string[];
  /** How often each fault struck. */
  faults: Map<string, number>;
  /** How long it took by its own clock, in milliseconds. */
  simulatedMs: number;
  trace: readonly string[];
}

/**
 * A cluster in one process with time and chance of its own: one schedule of acts and faults, then everything is well again, and
 * what must hold is looked at. The same seed and schedule go the same way, statement by statement.
 */
export class World {
  readonly clock = new ManualClock();
  readonly hub = new MemoryHub();
  readonly feed = new MemoryFeed(this.clock);
  readonly database: Database;
  readonly bots: readonly Bots[];
  readonly violations: string[] = [];
  network: () => readonly number[] = () => [0];
  readonly #rng: Rng;
  readonly #trace: Trace;
  readonly #byName: Map<string, Bots>;
  readonly #slots: (WorldNode | undefined)[] = Array.from({ length: SLOTS });
  readonly #everybody: WorldNode[] = [];
  readonly #faults = new Map<string, number>();
  readonly #seen = new Map<string, { epoch: number; version: number }>();
  readonly #startedAt = this.clock.monotonic();
  readonly #slowestMs: number;
  #isHealed = false;

  constructor(database: Database, { seed, domains, keepsLines = 0 }: WorldOptions) {
    this.database = database;
    this.#rng = seededRng(seed);
    this.#trace = new Trace(keepsLines);
    this.hub.now = () => this.clock.monotonic();
    // Half of the worlds have a database that answers at once, in which more happens at the same moment.
    this.#slowestMs = [0, 0, 1, 4][Math.floor(this.#rng.next() * 4)]!;
    this.#byName = new Map(domains.map((domain) => [domain.name, domain.enter(this)]));
    this.bots = [...this.#byName.values()];
  }

  /** How long the next operation of the database is under way, in milliseconds. */
  latencyMs(): number {
    return this.#isHealed ? 0 : Math.floor(this.#rng.next() * (this.#slowestMs + 1));
  }

  /** From now on, messages fare so. */
  setNetwork(network: Network | undefined): void {
    this.network = () => (network ?? sound)(this.#rng);
  }

  note(line: string): void {
    this.#trace.add(`${this.clock.monotonic() - this.#startedAt} ${line}`);
  }

  /** A fault has come to pass. */
  struck(fault: string, nodeId: string): void {
    this.#faults.set(fault, (this.#faults.get(fault) ?? 0) + 1);
    this.note(`fault ${fault} at ${nodeId}`);
  }

  violation(what: string): void {
    this.note(`violation: ${what}`);
    this.violations.push(what);
  }

  /** Nodes that are up, do something, and stay. */
  get awake(): WorldNode[] {
    return this.#slots.filter((node): node is WorldNode => node?.isAwake === true && !node.isDraining);
  }

  /** Plays the steps, heals, and looks at what must hold. What throws on the way is a violation too. */
  async play(steps: readonly Step[]): Promise<Played> {
    await this.#play(steps).catch((error: unknown) => this.violation(`the run broke off: ${error}`));
    const simulatedMs = this.clock.monotonic() - this.#startedAt;
    const { violations } = this;
    const [faults, trace] = [this.#faults, this.#trace.lines];
    return { hash: this.#trace.digest(), violations, faults, simulatedMs, trace };
  }

  async #play(steps: readonly Step[]): Promise<void> {
    for (let slot = 0; slot < SLOTS; slot += 1) this.start(slot);
    await this.clock.advance(BEGIN_MS);
    for (const step of steps) {
      await this.#perform(step);
      await this.clock.advance(step.thenMs);
      await this.#watch();
    }
    await this.#heal();
    await this.#rest();
    for (const bots of this.bots) {
      for (const what of await this.ask(bots.violations())) this.violation(what);
    }
  }

  /** Ends all processes, so that nothing of this world goes on. */
  async end(): Promise<void> {
    for (const { simulated } of this.#everybody) await simulated.crash();
  }

  /** Starts a node in a slot where none lives. */
  start(slot: number): void {
    if (this.#slots[slot] && !this.#slots[slot].life.isDead) return;
    const at = this.#everybody.length;
    const node = new WorldNode(this, `n${at}`, at);
    this.#slots[slot] = node;
    this.#everybody.push(node);
    this.note(`${node.id} starts in slot ${slot}`);
    // One whose database fails now does not come up, and its supervisor ends it.
    node.start(this.bots).catch(() => node.simulated.crash());
  }

  /** The answer to a question that may have to wait for its turn with the database, while time passes. */
  ask<T>(answer: Promise<T>): Promise<T> {
    return this.clock.within(ASK_MS, answer, 1);
  }

  query<T>(sql: string, params: readonly unknown[] = []): Promise<T[]> {
    return this.ask(this.database.query<T>(sql, params));
  }

  async #perform(step: Step): Promise<void> {
    const node = this.#slots[step.slot];
    if ("bot" in step) {
      if (!node?.isAwake) return;
      this.note(`${node.id} ${step.bot} ${JSON.stringify(step.act)}`);
      this.#byName.get(step.bot)!.act(step.act, node);
      return;
    }
    const fault = FAULTS.find(({ name }) => name === step.fault)!;
    if (fault.isOfTheDead !== (node === undefined || node.life.isDead)) return;
    if (!fault.tellsWhenItStrikes) this.struck(fault.name, node?.id ?? "");
    await fault.strike({ world: this, node: node!, slot: step.slot }, step.how);
  }

  /** Epochs and versions never go back. */
  async #watch(): Promise<void> {
    const rows = await this.query<{ kind: string; id: string; epoch: number; version: number }>(
      "SELECT kind, id, epoch, version FROM actors ORDER BY kind, id",
    );
    for (const { kind, id, epoch, version } of rows) {
      const before = this.#seen.get(`${kind}/${id}`);
      if (before && (epoch < before.epoch || version < before.version))
        this.violation(
          `${kind}/${id} went from epoch ${before.epoch}, version ${before.version} to ${epoch}, ${version}`,
        );
      this.#seen.set(`${kind}/${id}`, { epoch, version });
    }
  }

  /** Everything works again, and after TTL + 2 s nothing is overdue and every actor answers. */
  async #heal(): Promise<void> {
    this.note("healing");
    this.setNetwork(undefined);
    this.#isHealed = true;
    for (const [slot, node] of this.#slots.entries()) {
      if (node?.isDraining) await node.simulated.crash();
      node?.heal();
      this.start(slot);
    }
    await this.ask(this.database.write("DELETE FROM actor_blame"));
    await this.ask(this.database.write("UPDATE actors SET crashes = 0"));
    await this.clock.advance(RECOVERY_MS);
    const late = await this.query<{ kind: string; id: string; due_at: number }>(
      "SELECT kind, id, due_at FROM actors WHERE due_at < ? ORDER BY kind, id",
      [this.clock.now() - LATENESS_MS],
    );
    for (const { kind, id, due_at } of late)
      this.violation(`${RECOVERY_MS} ms after healing ${kind}/${id} is ${this.clock.now() - due_at} ms overdue`);
    for (const bots of this.bots) await this.ask(bots.heal?.(this.awake[0]!) ?? Promise.resolve());
    await this.#watch();
  }

  /** Waits until nothing is left to be done. */
  async #rest(): Promise<void> {
    const until = this.clock.monotonic() + REST_MS;
    for (let quiet = 0; quiet < 2; ) {
      await this.clock.advance(1000);
      const open = await this.#unfinished();
      quiet = open.length === 0 ? quiet + 1 : 0;
      if (open.length === 0 || this.clock.monotonic() < until) continue;
      for (const what of open) this.violation(`not done ${REST_MS} ms after healing: ${what}`);
      return;
    }
    await this.#watch();
  }

  async #unfinished(): Promise<string[]> {
    const open: string[] = [];
    for (const bots of this.bots) open.push(...(await this.ask(bots.unfinished())));
    for (const table of ["actor_events", "actor_tells", "actor_dead_letters"]) {
      const [row] = await this.query<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table}`);
      if (row!.n > 0) open.push(`${row!.n} rows of ${table}`);
    }
    return open;
  }
}
