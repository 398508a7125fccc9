import assert from "node:assert/strict";
import { Actor, type ActorContext, type TimerHandlers } from "../../src/actors/runtime/Actor.ts";
import type { Actors } from "../../src/actors/runtime/Actors.ts";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import { Placement } from "../../src/actors/runtime/placement.ts";
import type { Database } from "../../src/entities/sql.ts";
import { openDatabase } from "../support/database.ts";
import { ManualClock, SimulatedNode } from "./simulation.ts";

/** Its turns wait until they are told, then call others. */
class RingActor extends Actor<{ turns: number }> {
  static readonly kind = "ring";
  static initial(): { turns: number } {
    return { turns: 0 };
  }
  readonly timers: TimerHandlers = {};
  readonly #actors: () => Actors;
  /** Turns that have begun, by actor, and what they wait for before they go on. */
  static readonly begun = new Set<string>();
  static go: Promise<void> = Promise.resolve();

  constructor(context: ActorContext, actors: () => Actors) {
    super(context);
    this.#actors = actors;
  }

  async visit(next: string): Promise<string> {
    RingActor.begun.add(this.id);
    await RingActor.go;
    this.state.turns += 1;
    return this.#actors().ref(RingActor, next).answer();
  }

  async answer(): Promise<string> {
    this.state.turns += 1;
    return this.id;
  }

  async hold(): Promise<void> {
    RingActor.begun.add(this.id);
    await RingActor.go;
  }

  async turns(): Promise<number> {
    return this.state.turns;
  }
}

describe("calls that wait for each other (simulated cluster)", () => {
  let database: Database;
  let clock: ManualClock;
  let nodes: SimulatedNode[];

  beforeEach(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    clock = new ManualClock();
    RingActor.begun.clear();
    RingActor.go = Promise.resolve();
  });
  afterEach(() => database.close());

  async function start(count: number): Promise<void> {
    const hub = new MemoryHub();
    nodes = Array.from({ length: count }, (_, at) => {
      const node: SimulatedNode = new SimulatedNode({ id: `n${at}`, hub, database, clock }, [
        { type: RingActor as never, create: (context) => new RingActor(context, () => node.actors) as never },
      ]);
      return node;
    });
    for (const node of nodes) await node.actors.start();
    await clock.advance(1200);
  }

  const ring = (id: string, options = {}) => nodes[0]!.actors.ref(RingActor, id, options);
  /** An id that lives on this node. */
  const idOn = (at: number, beside = ""): string => {
    const placement = new Placement(nodes.map(({ id }) => id));
    for (let tried = 0; ; tried++)
      if (placement.nodeOf(`ring/${tried}${beside}`) === nodes[at]!.id) return `${tried}${beside}`;
  };
  const outcomes = async (calls: Promise<unknown>[], ms = 2000): Promise<string[]> => {
    const all = calls.map((call) => call.then(String, (error: { code: string }) => error.code));
    return clock.within(ms, Promise.all(all), 20);
  };

  for (const [count, length] of [
    [1, 2],
    [2, 2],
    [1, 3],
    [3, 3],
    [2, 5],
  ] as const)
    it(`of ${length} actors on ${count} ${count === 1 ? "node" : "nodes"} end at once as a cycle, and the actors go on`, async () => {
      await start(count);
      const ids = Array.from({ length }, (_, at) => idOn(at % count, `-${at}`));
      const gate = Promise.withResolvers<void>();
      RingActor.go = gate.promise;
      const calls = ids.map((id, at) => ring(id).visit(ids[(at + 1) % length]!));
      await clock.advance(200);
      assert.equal(RingActor.begun.size, length);
      gate.resolve();
      const told = await outcomes(calls);
      assert.ok(told.includes("actor_cycle"), String(told));
      for (const [at, outcome] of told.entries())
        assert.ok(outcome === "actor_cycle" || outcome === ids[(at + 1) % length], outcome);
      assert.deepEqual(await outcomes(ids.map((id) => ring(id).answer())), ids);
    });

  it("of actors that only wait in a row are all answered", async () => {
    await start(2);
    const ids = Array.from({ length: 4 }, (_, at) => idOn(at % 2, `-${at}`));
    const gate = Promise.withResolvers<void>();
    RingActor.go = gate.promise;
    const calls = ids.slice(0, 3).map((id, at) => ring(id).visit(ids[at + 1]!));
    const held = ring(ids[3]!).hold();
    await clock.advance(200);
    gate.resolve();
    assert.deepEqual(await outcomes([...calls, held]), [...ids.slice(1), "undefined"]);
  });

  for (const at of [0, 1])
    it(`${at === 0 ? "on this node" : "of another node"} end with their signal: what has not begun never does`, async () => {
      await start(2);
      const id = idOn(at);
      const gate = Promise.withResolvers<void>();
      RingActor.go = gate.promise;
      const [running, waiting] = [new AbortController(), new AbortController()];
      const calls = [
        ring(id, { signal: running.signal }).hold(),
        ring(id, { signal: waiting.signal }).answer(),
        ring(id, { signal: AbortSignal.abort() }).answer(),
      ];
      const told = outcomes(calls, 3000);
      await clock.advance(200);
      running.abort();
      waiting.abort();
      const [ofRunning, ofWaiting, ofAborted] = await told;
      assert.equal(ofRunning, "outcome_unknown");
      // Where another node has it, nobody waits for its word.
      assert.equal(ofWaiting, at === 0 ? "not_delivered" : "outcome_unknown");
      assert.equal(ofAborted, "not_delivered");
      await clock.advance(200);
      gate.resolve();
      assert.deepEqual(await outcomes([ring(id).turns()]), ["0"]);
    });
});
