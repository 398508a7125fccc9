import assert from "node:assert/strict";
import type { Actor, ActorType } from "../../src/actors/runtime/Actor.ts";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import { Placement } from "../../src/actors/runtime/placement.ts";
import { actorKey } from "../../src/actors/runtime/protocol.ts";
import type { Database } from "../../src/entities/sql.ts";
import { CutOff } from "../../src/parts/CutOff.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import { openDatabase } from "../support/database.ts";
import { CounterActor, EFFECTS_TABLE, kindOf, ManualClock, SimulatedNode } from "./simulation.ts";

/** The runtime's own: how long a node's silence is borne. */
const TTL_MS = 3000;
/** What a sweep and the actors' own ticks add. */
const SWEEP_MS = 1500;
const TICK_MS = 1000;
const ACTORS = 30;

describe("a node that is cut off from the database alone", () => {
  let database: Database;
  let clock: ManualClock;
  let hub: MemoryHub;
  let feed: MemoryFeed;
  let nodes: SimulatedNode[];

  beforeEach(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    await database.write(EFFECTS_TABLE);
    clock = new ManualClock();
    hub = new MemoryHub();
    feed = new MemoryFeed(clock);
    nodes = [];
    for (const id of ["a", "b", "c"]) await start(id);
    for (let at = 0; at < ACTORS; at += 1) {
      const actor = nodes[at % nodes.length]!.actors.ref(CounterActor, `t${at}`);
      await clock.within(2000, actor.startTicking(TICK_MS, "coalesce"), 50);
    }
  });

  afterEach(async () => {
    await Promise.all(nodes.map((node) => node.crash()));
    await database.close();
  });

  async function start(id: string): Promise<void> {
    const node = new SimulatedNode({ id, hub, database, clock, feed }, [
      kindOf(CounterActor as unknown as ActorType<Actor<unknown>>),
    ]);
    nodes.push(node);
    await node.actors.start();
    await clock.advance(600);
  }

  /** An actor without timers that lives on this node by its placement. */
  function heldBy(nodeId: string): string {
    const placement = new Placement(nodes.map(({ id }) => id));
    for (let at = 0; ; at += 1) {
      const id = `held${at}`;
      if (placement.nodeOf(actorKey({ kind: CounterActor.kind, id })) === nodeId) return id;
    }
  }

  /** From now on the node hears nothing from the database; its probe says so once two questions had no answer. */
  function cut(node: SimulatedNode): void {
    node.databaseCut = true;
    clock.schedule(() => node.actors.cutOff(node.databaseCut), 2 * TTL_MS - 500);
  }

  function reconnect(node: SimulatedNode, afterMs: number): void {
    node.databaseCut = false;
    clock.schedule(() => node.actors.cutOff(node.databaseCut), afterMs);
  }

  const owners = async (): Promise<Map<string, string | null>> =>
    new Map(
      (await database.query<{ id: string; owner: string | null }>("SELECT id, owner FROM actors")).map(
        ({ id, owner }) => [id, owner],
      ),
    );

  const ticksOf = async (): Promise<Map<string, number[]>> => {
    const ticks = new Map<string, number[]>();
    for (const { actor, seq } of await database.query<{ actor: string; seq: number }>(
      "SELECT actor, seq FROM effects ORDER BY seq",
    ))
      ticks.set(actor, [...(ticks.get(actor) ?? []), Number(seq)]);
    return ticks;
  };

  async function assertAllTick(): Promise<void> {
    const before = await ticksOf();
    await clock.advance(2 * TICK_MS + SWEEP_MS);
    const after = await ticksOf();
    for (let at = 0; at < ACTORS; at += 1) {
      const [had, has] = [before.get(`t${at}`)?.length ?? 0, after.get(`t${at}`)?.length ?? 0];
      assert.ok(has > had, `t${at} ticks`);
    }
  }

  async function assertNothingDoubled(): Promise<void> {
    for (const [actor, seqs] of await ticksOf())
      assert.equal(new Set(seqs).size, seqs.length, `${actor} ticked once each`);
  }

  it("has its timers fired by its peers, and blames and doubles nothing", async () => {
    const [a] = nodes as [SimulatedNode];
    const held = [...(await owners())].filter(([, owner]) => owner === "a");
    assert.ok(held.length > 0, "it owns some");
    cut(a);
    await clock.advance(2 * TTL_MS + SWEEP_MS);
    assert.deepEqual(await database.query("SELECT id FROM actors WHERE crashes > 0"), [], "nobody is blamed");
    await assertAllTick();
    const now = await owners();
    for (const [id] of held) assert.notEqual(now.get(id), "a", `${id} moved`);
    await clock.advance(45_000 - 2 * TTL_MS);
    reconnect(a, 1000);
    await clock.advance(20_000);
    await assertAllTick();
    await assertNothingDoubled();
    assert.deepEqual(await database.query("SELECT id FROM actors WHERE crashes > 0"), []);
  });

  it("answers its own callers with unavailable at once, and has the peers' calls answered by others", async () => {
    const [a, b] = nodes as [SimulatedNode, SimulatedNode];
    const held = [...(await owners())].find(([, owner]) => owner === "a")![0];
    cut(a);
    await clock.advance(2 * TTL_MS);
    await assert.rejects(clock.within(10, a.actors.ref(CounterActor, "t0").add(1), 5), { code: "unavailable" });
    await assert.rejects(clock.within(10, a.actors.ref(CounterActor, held).read(), 5), { code: "unavailable" });
    assert.ok(!b.actors.membership.hosts().some(({ id }) => id === "a"), "nothing is to move to it");
    assert.equal(typeof (await clock.within(2000, b.actors.ref(CounterActor, held).add(1), 50)), "number");
    assert.equal(a.actors.residents, 0);
  });

  it("hosts again once it reaches the database, and reads nothing old", async () => {
    const [a, b] = nodes as [SimulatedNode, SimulatedNode];
    const held = [...(await owners())].find(([, owner]) => owner === "a")![0];
    await clock.within(1000, a.actors.ref(CounterActor, held).stopTicking(), 50);
    const before = await clock.within(1000, a.actors.ref(CounterActor, held).read(), 50);
    cut(a);
    await clock.advance(2 * TTL_MS);
    await clock.within(2000, b.actors.ref(CounterActor, held).add(5), 50);
    reconnect(a, 0);
    await clock.advance(TTL_MS);
    assert.equal(await clock.within(2000, a.actors.ref(CounterActor, held).read(), 50), before + 5);
    for (let at = 0; at < 30; at += 1) await clock.within(2000, a.actors.ref(CounterActor, `new${at}`).add(1), 50);
    const hosting = new Set((await owners()).values());
    assert.ok(hosting.has("a"), "it is given actors again");
  });

  it("reads nothing old of an actor that came to it in the very moment", async () => {
    const [a, b] = nodes as [SimulatedNode, SimulatedNode];
    const ids = nodes.map(({ id }) => id);
    const id = Array.from({ length: 99 }, (_, at) => `n${at}`).find(
      (each) => new Placement(ids).nodeOf(actorKey({ kind: CounterActor.kind, id: each })) === "a",
    )!;
    a.life.onOperation = (when, statement) => {
      if (when === "after" && statement.includes("INTO actors")) a.actors.cutOff(true);
      return undefined;
    };
    await clock.within(
      2000,
      a.actors
        .ref(CounterActor, id)
        .add(1)
        .catch(() => {}),
      50,
    );
    assert.equal((await owners()).get(id), "a", "it has come");
    assert.equal(a.actors.membership.self.cutOff, true);
    await clock.advance(1000);
    const before = await clock.within(2000, b.actors.ref(CounterActor, id).add(5), 50);
    a.actors.cutOff(false);
    assert.equal(await clock.within(2000, a.actors.ref(CounterActor, id).read(), 50), before);
  });

  describe("closes its rooms", () => {
    let closed: number;
    let doors: boolean[];
    let cutOff: CutOff;

    beforeEach(() => {
      closed = 0;
      doors = [];
      const closeRooms = (): void => {
        closed += 1;
      };
      cutOff = new CutOff({ actors: nodes[0]!.actors, clock, setDoors: (open) => doors.push(open), closeRooms });
    });

    it("once, after 15 s, when a peer reaches the database; nobody is sent to them from the first moment on", async () => {
      cutOff.set(true);
      assert.deepEqual(doors, [false]);
      await clock.advance(14_900);
      assert.equal(closed, 0);
      await clock.advance(60_000);
      assert.equal(closed, 1);
    });

    it("not when it is back before", async () => {
      cutOff.set(true);
      await clock.advance(14_900);
      cutOff.set(false);
      await clock.advance(60_000);
      assert.equal(closed, 0);
      assert.deepEqual(doors, [false, true]);
    });

    it("not while no peer reaches the database either, and once one does", async () => {
      cutOff.set(true);
      const [, b, c] = nodes as [SimulatedNode, SimulatedNode, SimulatedNode];
      for (const { actors } of [b, c]) actors.cutOff(true);
      await clock.advance(60_000);
      assert.equal(closed, 0);
      c.actors.cutOff(false);
      await clock.advance(9000);
      assert.equal(closed, 1);
    });

    it("not when all were cut off, and a peer is back a moment sooner", async () => {
      cutOff.set(true);
      const [, b, c] = nodes as [SimulatedNode, SimulatedNode, SimulatedNode];
      for (const { actors } of [b, c]) actors.cutOff(true);
      await clock.advance(36_000);
      c.actors.cutOff(false);
      await clock.advance(2000);
      cutOff.set(false);
      await clock.advance(60_000);
      assert.equal(closed, 0);
    });
  });

  it("answers from the row when it is back, while a peer that has not heard so may yet take its actors", async () => {
    const [a, b] = nodes as [SimulatedNode, SimulatedNode, SimulatedNode];
    const id = heldBy("a");
    const on = (node: SimulatedNode) => node.actors.ref(CounterActor, id);
    await clock.within(2000, on(a).add(1), 50);
    a.actors.cutOff(true);
    await clock.advance(9000);
    a.actors.cutOff(false);
    await clock.advance(1);
    // The first beat that tells is on its way: a takes the actor back, and b takes it over.
    await clock.within(3000, on(a).read(), 1).catch(() => {});
    await clock.within(3000, on(b).add(5), 1);
    await clock.advance(1000);
    assert.equal(await clock.within(3000, on(a).read(), 1), await clock.within(3000, on(b).read(), 1));
  });

  it("moves nothing when all nodes are cut off, and nothing when they are back one after the other", async () => {
    const before = await owners();
    for (const node of nodes) cut(node);
    await clock.advance(45_000);
    for (const [at, node] of nodes.entries()) reconnect(node, 1000 + 2500 * at);
    await clock.advance(3 * TTL_MS);
    await assertAllTick();
    assert.deepEqual(await owners(), before);
    await assertNothingDoubled();
  });
});
