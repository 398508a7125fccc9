import assert from "node:assert/strict";
import { Actor, type ActorContext, type ActorType, type TimerHandlers } from "../../src/actors/runtime/Actor.ts";
import type { Actors } from "../../src/actors/runtime/Actors.ts";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import { TURNS_BOUND } from "../../src/actors/runtime/TurnGate.ts";
import type { Database } from "../../src/entities/sql.ts";
import { openDatabase } from "../support/database.ts";
import { ManualClock, SimulatedNode } from "./simulation.ts";

/** Calls that wait in front of the one that the turns of the node wait for, in each mailbox. */
const BEFORE = 3;
/** Each is called by fewer turns than its mailbox takes. */
const TARGETS = 8;

describe("turns that call other actors, while such turns have all places of their nodes", function () {
  this.timeout(180_000);
  let database: Database;
  let clock: ManualClock;
  let hub: MemoryHub;
  let nodes: SimulatedNode[];
  /** Opens once all places are taken. */
  let start: PromiseWithResolvers<void>;
  /** Turns that are under way and wait for that. */
  let underWay: number;

  /** Hands a call on along a path of actors, each waiting for the next. */
  class RelayActor extends Actor<Record<string, never>> {
    static readonly kind = "relay";
    static initial(): Record<string, never> {
      return {};
    }
    readonly timers: TimerHandlers = {};
    readonly #actors: () => Actors;

    constructor(context: ActorContext, actors: () => Actors) {
      super(context);
      this.#actors = actors;
    }

    async visit(path: readonly string[]): Promise<string> {
      const [next, ...rest] = path;
      return next === undefined ? this.id : this.#actors().ref(RelayActor, next).visit(rest);
    }

    async visitOnceFull(path: readonly string[]): Promise<string> {
      underWay += 1;
      await start.promise;
      return this.visit(path);
    }
  }

  /** A node that hosts the actors whose ids begin with this: with its own id, unless told otherwise. */
  async function startNode(id: string, prefix = id): Promise<SimulatedNode> {
    const node: SimulatedNode = new SimulatedNode({ id, hub, database, clock }, [
      {
        type: RelayActor as unknown as ActorType<Actor<unknown>>,
        create: (context) => new RelayActor(context, () => node.actors) as unknown as Actor<unknown>,
        hosts: (actor) => actor.startsWith(prefix),
      },
    ]);
    await node.actors.start();
    return node;
  }

  beforeEach(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    clock = new ManualClock();
    hub = new MemoryHub();
    start = Promise.withResolvers();
    underWay = 0;
  });

  afterEach(async () => {
    for (const node of nodes) await node.crash();
    await database.close();
  });

  async function startAll(ids: readonly string[]): Promise<void> {
    nodes = [];
    for (const id of ids) nodes.push(await startNode(id));
    await clock.advance(1000);
    const last = nodes.flatMap((node) => targets(node.id).map((id) => relay(node, id).visit([])));
    await clock.within(5000, Promise.all(last));
  }

  const targets = (node: string): string[] =>
    ["first", "second"].flatMap((name) => Array.from({ length: TARGETS }, (_, at) => `${node} ${name} ${at}`));
  const relay = (node: SimulatedNode, id: string) => node.actors.ref(RelayActor, id, { deadlineMs: 60_000 });

  /**
   * Takes all places with turns that are to call along `path`, has other calls wait at all that is on the way, and lets them go on
   * after `whileFull`.
   */
  async function callThroughFullNodes(
    path: (node: string, at: number) => string[],
    whileFull: () => Promise<void> = async () => {},
  ): Promise<string[]> {
    const calls = nodes.flatMap((node) =>
      Array.from({ length: TURNS_BOUND }, (_, at) =>
        relay(node, `${node.id} ${at}`).visitOnceFull(path(node.id, at % TARGETS)),
      ),
    );
    const all = Promise.all(calls);
    all.catch(() => {});
    for (let waited = 0; underWay < calls.length && waited < 1000; waited += 1) await clock.advance(1);
    assert.equal(underWay, calls.length, "all places are taken");
    const before = nodes.flatMap((node) =>
      targets(node.id).flatMap((id) => Array.from({ length: BEFORE }, () => relay(node, id).visit([]))),
    );
    let answered = 0;
    for (const call of before) void call.then(() => (answered += 1));
    await clock.advance(10);
    assert.equal(answered, 0, "what comes from no turn waits for a place");
    await whileFull();
    start.resolve();
    const ends = await clock.within(60_000, all, 10);
    assert.equal((await clock.within(1000, Promise.all(before))).length, before.length);
    return ends;
  }

  it("are answered though other calls wait before theirs for a place, one actor after the other", async () => {
    await startAll(["n"]);
    const ends = await callThroughFullNodes((node, at) => [`${node} first ${at}`, `${node} second ${at}`]);
    assert.deepEqual(new Set(ends), new Set(targets("n").filter((id) => id.includes("second"))));
  });

  it("are answered by actors of other nodes that are full as well", async () => {
    await startAll(["a", "b"]);
    const other = { a: "b", b: "a" } as Record<string, string>;
    const ends = await callThroughFullNodes((node, at) => [`${other[node]} first ${at}`, `${node} second ${at}`]);
    assert.equal(ends.length, 2 * TURNS_BOUND);
  });

  it("are answered though the node is drained, and what they call has a call before theirs that waits for a place", async () => {
    await startAll(["n"]);
    let drained: Promise<void> | undefined;
    const ends = await callThroughFullNodes(
      (node, at) => [`${node} first ${at}`],
      async () => {
        nodes.push(await startNode("heir", ""));
        await clock.advance(1000);
        drained = nodes[0]!.actors.drain();
        await clock.advance(50);
      },
    );
    assert.equal(ends.length, TURNS_BOUND);
    await clock.within(5000, drained!);
  });
});
