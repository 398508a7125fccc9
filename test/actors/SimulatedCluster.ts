import type { Actor, ActorContext, ActorType } from "../../src/actors/runtime/Actor.ts";
import type { ActorKind } from "../../src/actors/runtime/ActorKinds.ts";
import type { Actors } from "../../src/actors/runtime/Actors.ts";
import type { CallOptions } from "../../src/actors/runtime/Calls.ts";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import type { Database } from "../../src/entities/sql.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import { openDatabase } from "../support/database.ts";
import { kindOf, ManualClock, SimulatedNode } from "./simulation.ts";

/** An actor class that is made from its context alone, or a kind that knows how its actors are made. */
type Kind = ActorKind | (new (context: ActorContext) => Actor<unknown>);

/** Longer than any call takes that is not lost with a node, in simulated milliseconds. */
const LONG_MS = 20_000;

/** A simulated cluster of nodes `n0`, `n1` …: one database in memory with our tables, one feed, and a time that tests move. */
export class SimulatedCluster {
  readonly clock = new ManualClock();
  readonly feed = new MemoryFeed();
  readonly database: Database;
  /** In the order in which they came, those that have died among them. */
  readonly nodes: SimulatedNode[] = [];
  readonly #kinds: readonly ActorKind[];
  readonly #hub = new MemoryHub();

  /** Opens one of so many nodes, on which actors of these kinds live. */
  static async open(kinds: readonly Kind[], nodes = 1): Promise<SimulatedCluster> {
    const database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    const cluster = new SimulatedCluster(database, kinds);
    while (cluster.nodes.length < nodes) await cluster.join();
    return cluster;
  }

  private constructor(database: Database, kinds: readonly Kind[]) {
    this.database = database;
    this.#kinds = kinds.map((kind) =>
      typeof kind === "function" ? kindOf(kind as unknown as ActorType<Actor<unknown>>) : kind,
    );
  }

  /** Adds a node. */
  async join(): Promise<SimulatedNode> {
    const { clock, database, feed } = this;
    const id = `n${this.nodes.length}`;
    const parts = { id, hub: this.#hub, database, clock, feed, seed: this.nodes.length + 1 };
    const node = new SimulatedNode(parts, this.#kinds);
    this.nodes.push(node);
    await node.actors.start();
    return node;
  }

  /** Those that have not died. */
  get alive(): SimulatedNode[] {
    return this.nodes.filter(({ crashed }) => !crashed);
  }

  /** An actor, as the first node that lives reaches it. Await its calls `within`. */
  ref<A extends Actor<never> | Actor<unknown>>(
    type: ActorType<A>,
    id: string,
    options: CallOptions = {},
  ): ReturnType<typeof Actors.prototype.ref<A>> {
    return this.alive[0]!.actors.ref(type, id, options);
  }

  /** Runs work to its end while time passes in small steps; rejects when it takes longer than any call does. */
  within<T>(work: Promise<T>): Promise<T> {
    return this.clock.within(LONG_MS, work);
  }

  /** Lets time pass, and all happen that becomes due. */
  advance(ms: number): Promise<void> {
    return this.clock.advance(ms);
  }

  /** The node that is the first to come to a statement of these words (`INSERT INTO awards`) dies there: before it happens, or after it. */
  crashAt(words: string, when: "before" | "after" = "before"): void {
    const { nodes } = this;
    const known = nodes.map(({ life }) => life.onOperation);
    for (const [at, { life }] of nodes.entries())
      life.onOperation = (now, statement) => {
        if (now !== when || !statement.includes(words)) return known[at]!(now, statement);
        for (const [other, node] of nodes.entries()) node.life.onOperation = known[other]!;
        return "crash";
      };
  }

  /** What a topic was told, as `[type, data]` in order. */
  async told(topic: string): Promise<[string, unknown][]> {
    const { events } = await this.feed.read(topic, undefined);
    return events.map(({ type, data }) => [type, data]);
  }

  async close(): Promise<void> {
    for (const node of this.alive) await node.actors.stop();
    await this.database.close();
  }
}
