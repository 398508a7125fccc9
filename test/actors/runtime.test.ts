import assert from "node:assert/strict";
import { ActorStore } from "../../src/actors/runtime/ActorStore.ts";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import type { Database } from "../../src/entities/sql.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import { openDatabase } from "../support/database.ts";
import { hearing } from "../support/hearing.ts";
import { CounterActor, EFFECTS_TABLE, kindOf, LoopActor, ManualClock, SimulatedNode } from "./simulation.ts";

describe("the actor runtime (simulated cluster)", () => {
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
    feed = new MemoryFeed();
    nodes = [];
  });

  afterEach(async () => {
    await database.close();
  });

  async function start(
    id: string,
    options: ConstructorParameters<typeof SimulatedNode>[2] = {},
  ): Promise<SimulatedNode> {
    const node = new SimulatedNode({ id, hub, database, clock, feed }, [kindOf(CounterActor)], options);
    nodes.push(node);
    await node.actors.start();
    return node;
  }

  /** Starts `count` nodes and lets them hear of each other. */
  async function cluster(count: number): Promise<SimulatedNode[]> {
    for (let at = 0; at < count; at++) await start(`n${at}`);
    await clock.advance(600);
    return nodes;
  }

  /** Runs a call to its end while time passes. */
  function within<T>(ms: number, call: Promise<T>): Promise<T> {
    return clock.within(ms, call, 50);
  }

  const counter = (node: SimulatedNode, id: string, options = {}) => node.actors.ref(CounterActor, id, options);
  const row = async (id: string) =>
    (
      await database.query<{ owner: string; epoch: number; version: number }>("SELECT * FROM actors WHERE id = ?", [id])
    )[0]!;
  const effects = (id: string) =>
    database.query<{ name: string; seq: number }>("SELECT name, seq FROM effects WHERE actor = ? ORDER BY seq", [id]);

  it("makes an actor on its first call, and keeps its state", async () => {
    const [node] = await cluster(1);
    assert.equal(await within(1000, counter(node!, "a").add(2)), 2);
    assert.equal(await within(1000, counter(node!, "a").add(3)), 5);
  });

  it("activates an actor once under concurrent first calls from every node", async () => {
    const all = await cluster(3);
    const calls = all.flatMap((node) => Array.from({ length: 50 }, () => counter(node, "hot").add(1)));
    const answers = await within(5000, Promise.all(calls));
    assert.deepEqual(
      [...answers].sort((a, b) => a - b),
      Array.from({ length: 150 }, (_, at) => at + 1),
    );
    assert.equal((await row("hot")).epoch, 1);
  });

  it("stores nothing of a turn that throws", async () => {
    const [node] = await cluster(1);
    await within(1000, counter(node!, "a").add(1));
    await assert.rejects(within(1000, counter(node!, "a").addThenThrow()), { code: "internal" });
    assert.equal(await within(1000, counter(node!, "a").read()), 1);
    assert.deepEqual(await effects("a"), []);
  });

  it("answers a repeated request id with the first answer, also on another node", async () => {
    const all = await cluster(2);
    assert.equal(await within(1000, counter(all[0]!, "a", { requestId: "r1" }).add(5)), 5);
    assert.equal(await within(1000, counter(all[1]!, "a", { requestId: "r1" }).add(5)), 5);
    const owner = all.find((node) => node.actors.residents === 1)!;
    await owner.crash();
    const other = all.find((node) => node !== owner)!;
    assert.equal(await within(9000, counter(other, "a", { requestId: "r1" }).add(5)), 5);
    assert.equal(await within(1000, counter(other, "a").read()), 5);
  });

  it("lets actors call each other, and fails a chain that comes back at once", async () => {
    const [node] = await cluster(2);
    assert.equal(await within(2000, node!.actors.ref(LoopActor, "a").visit(["b", "c"])), "c");
    await assert.rejects(within(2000, node!.actors.ref(LoopActor, "a").visit(["b", "a"])), { code: "actor_cycle" });
  });

  for (const [policy, expected] of [
    ["fire", { seqs: [1, 2, 3, 4, 5, 6, 7, 8], why: "makes up for each" }],
    ["coalesce", { seqs: [1, 2, 3], why: "lets one stand for all" }],
    ["skip", { seqs: [1, 2], why: "leaves them out" }],
  ] as const) {
    it(`missed firings: ${policy} ${expected.why}`, async () => {
      const [node] = await cluster(1);
      await within(100, counter(node!, "t").startTicking(1000, policy));
      await clock.advance(1500);
      assert.deepEqual(
        (await effects("t")).map(({ seq }) => seq),
        [1],
      );
      await node!.crash();
      // Down for 6 s: six firings are missed. A new node with the same id finds them.
      await clock.advance(5600);
      const next = await start("n0");
      await clock.advance(expected.seqs.length > 3 ? 1000 : 900);
      assert.deepEqual(
        (await effects("t")).map(({ seq }) => seq),
        expected.seqs,
      );
      assert.ok(next.actors.residents > 0);
    });
  }

  it("moves the actors of a dead node to the others, where every timer goes on without a gap or a double", async () => {
    const all = await cluster(3);
    for (let at = 0; at < 12; at++) await within(500, counter(all[0]!, `t${at}`).startTicking(500, "fire"));
    await clock.advance(3000);
    const victim = all.find((node) => node.actors.residents > 0)!;
    await victim.crash();
    await clock.advance(10_000);
    for (let at = 0; at < 12; at++) {
      const seqs = (await effects(`t${at}`)).map(({ seq }) => seq);
      assert.deepEqual(
        seqs,
        Array.from({ length: seqs.length }, (_, index) => index + 1),
        `t${at}`,
      );
      assert.ok(seqs.length >= 24, `t${at} fired ${seqs.length} times`);
    }
  });

  it("declares nobody dead while the shared memory is out of reach", async () => {
    const all = await cluster(2);
    await within(500, counter(all[0]!, "t").startTicking(500, "fire"));
    await clock.advance(1000);
    const before = await row("t");
    for (const node of all) node.bus.cut = true;
    hub.beats.clear();
    await clock.advance(20_000);
    for (const node of all) node.bus.cut = false;
    await clock.advance(5000);
    const after = await row("t");
    assert.deepEqual([after.owner, after.epoch], [before.owner, before.epoch]);
    assert.ok((await effects("t")).length >= 50);
  });

  it("hands its actors over when it drains, without losing an answer", async () => {
    const all = await cluster(2);
    for (let at = 0; at < 10; at++) await within(500, counter(all[0]!, `d${at}`).add(1));
    const calls = Array.from({ length: 10 }, (_, at) => counter(all[1]!, `d${at}`).add(1));
    const drained = all[0]!.actors.drain();
    assert.deepEqual(await within(3000, Promise.all(calls)), Array(10).fill(2));
    await within(3000, drained);
    assert.equal(all[0]!.actors.residents, 0);
    assert.deepEqual(
      await within(3000, Promise.all(Array.from({ length: 10 }, (_, at) => counter(all[1]!, `d${at}`).read()))),
      Array(10).fill(2),
    );
    await clock.advance(30_000);
    assert.equal((await database.query("SELECT 1 FROM actors WHERE crashes > 0")).length, 0);
  });

  it("delivers an event and a message once, also when the node dies before delivering", async () => {
    const all = await cluster(2);
    const heard: unknown[] = [];
    await feed.follow(
      "news",
      hearing((event) => heard.push(event.data)),
    );
    await within(1000, counter(all[0]!, "a").announce("news"));
    await within(1000, counter(all[0]!, "a").passOn("b"));
    await clock.advance(1000);
    assert.deepEqual(heard, [{ count: 1 }]);
    assert.equal(await within(1000, counter(all[1]!, "b").read()), 10);
    for (const table of ["actor_events", "actor_tells"])
      assert.equal((await database.query(`SELECT 1 FROM ${table}`)).length, 0);
    await database.write(
      `INSERT INTO actor_tells (kind, id, version, idx, owner, target_kind, target_id, message, created_at, attempts)
       VALUES ('counter', 'dead', 1, 0, 'n-dead', 'counter', 'b', ?, ?, 0)`,
      [JSON.stringify({ method: "add", args: [10] }), clock.now()],
    );
    await clock.advance(20_000);
    assert.equal(await within(1000, counter(all[1]!, "b").read()), 20);
    assert.equal((await database.query("SELECT 1 FROM actor_tells")).length, 0);
  });

  it("quarantines an actor in whose turns 3 more nodes crash, and lets those that lived beside it live on", async () => {
    class Poison extends CounterActor {
      static override readonly kind = "poison";
      override readonly timers = {
        tick: async () => {
          await nodes.at(-1)!.crash();
          await this.sql();
        },
      };
    }
    for (let life = 0; life <= 4; life++) {
      const node = new SimulatedNode({ id: `life${life}`, hub, database, clock }, [CounterActor, Poison].map(kindOf));
      nodes.push(node);
      await node.actors.start();
      if (life === 0) {
        await within(500, counter(node, "beside").startTicking(500, "fire"));
        await within(500, node.actors.ref(Poison, "p").startTicking(700, "fire"));
      }
      await clock.advance(5000);
      assert.equal(node.crashed, life < 4, `life ${life}`);
    }
    const last = nodes.at(-1)!;
    assert.equal(last.actors.residents, 1);
    await assert.rejects(within(9000, last.actors.ref(Poison, "p").read()), { code: "actor_quarantined" });
    const seqs = (await effects("beside")).map(({ seq }) => seq);
    assert.ok(seqs.length > 40);
    assert.deepEqual(
      seqs,
      seqs.map((_, at) => at + 1),
    );
  });

  it("refuses calls beyond the mailbox's bound at once", async () => {
    const [node] = await cluster(1);
    await within(500, counter(node!, "a").add(1));
    const calls = Array.from({ length: 2000 }, () =>
      counter(node!, "a")
        .add(1)
        .then(
          () => "ok",
          (error: { code: string }) => error.code,
        ),
    );
    const answers = await within(5000, Promise.all(calls));
    const ok = answers.filter((answer) => answer === "ok").length;
    assert.ok(answers.includes("overloaded"));
    assert.equal(await within(1000, counter(node!, "a").read()), 1 + ok);
  });

  it("lets idle actors go, and wakes them when a timer is due", async () => {
    const node = await start("n0", { idleMs: 5000 });
    await clock.advance(600);
    await within(500, counter(node, "sleeper").startTicking(60_000, "fire"));
    await clock.advance(30_000);
    assert.equal(node.actors.residents, 0);
    await clock.advance(31_000);
    assert.deepEqual(
      (await effects("sleeper")).map(({ seq }) => seq),
      [1],
    );
  });

  it("keeps effects single when the whole wall clock jumps forward", async () => {
    const [node] = await cluster(1);
    await within(500, counter(node!, "t").startTicking(1000, "fire"));
    clock.wallOffset += 10_000;
    await clock.advance(2500);
    const seqs = (await effects("t")).map(({ seq }) => seq);
    assert.deepEqual(
      seqs,
      Array.from({ length: seqs.length }, (_, at) => at + 1),
    );
    assert.ok(seqs.length >= 11);
  });

  it("stops a deposed owner at the fence; without the fence its effect would double", async () => {
    for (const fenced of [true, false]) {
      await database.write("DELETE FROM effects");
      const gate = Promise.withResolvers<void>();
      class Slow extends CounterActor {
        static override readonly kind = `slow-${fenced}`;
        async work(): Promise<void> {
          await gate.promise;
          this.state.count += 1;
          await this.effect("work", 1);
        }
      }
      class Unfenced extends ActorStore {
        protected override async fenced(
          sql: Database,
          update: string,
          params: readonly unknown[],
          at: { kind: string; id: string },
        ): Promise<void> {
          await sql.write(`${update} WHERE kind = ? AND id = ?`, [...params, at.kind, at.id]);
        }
      }
      const makeStore = fenced ? undefined : (base: Database, id: string) => new Unfenced(base, id);
      const make = (id: string) =>
        new SimulatedNode(
          { id: `${id}-${fenced}`, hub, database, clock },
          [kindOf(Slow)],
          makeStore ? { makeStore } : {},
        );
      const old = make("old");
      await old.actors.start();
      await clock.advance(600);
      await within(500, old.actors.ref(Slow, "s").add(1));
      const first = old.actors.ref(Slow, "s").work();
      first.catch(() => {});
      await clock.advance(100);
      old.bus.cut = true;
      const young = make("young");
      await young.actors.start();
      await clock.advance(4000);
      const second = young.actors.ref(Slow, "s").work();
      second.catch(() => {});
      await clock.advance(4000);
      gate.resolve();
      await clock.advance(3000);
      assert.equal(
        (await effects("s")).length,
        fenced ? 1 : 2,
        fenced ? "fenced" : "the unfenced run must show the double",
      );
      await old.crash();
      await young.crash();
    }
  });
});
