import assert from "node:assert/strict";
import type { Actor, ActorType } from "../../src/actors/runtime/Actor.ts";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import type { Firing } from "../../src/actors/runtime/timers.ts";
import type { Database } from "../../src/entities/sql.ts";
import { openDatabase } from "../support/database.ts";
import { CounterActor, EFFECTS_TABLE, kindOf, ManualClock, SimulatedNode } from "./simulation.ts";

describe("the balance of actors over nodes (simulated cluster)", function () {
  this.timeout(120_000);
  let database: Database;
  let clock: ManualClock;
  let hub: MemoryHub;

  /** Some of them say that they are at something that a move would break off. */
  class HeavyActor extends CounterActor {
    static override readonly kind = "heavy";
    override mayMove(): boolean {
      return false;
    }
  }

  /** Its firings take longer than from one to the next: it is never without a turn. */
  class BusyActor extends CounterActor {
    static override readonly kind = "busy";
    override readonly timers = {
      tick: async ({ seq }: Firing) => {
        await new Promise<void>((resolve) => void clock.schedule(resolve, 1500));
        await this.effect("tick", seq);
      },
    };
  }

  /** It is never without a turn either, and between two of them it is not to be moved. */
  class WorkingActor extends CounterActor {
    static override readonly kind = "working";
    #isInTurn = false;
    override mayMove(): boolean {
      return this.#isInTurn;
    }
    override readonly timers = {
      tick: async ({ seq }: Firing) => {
        this.#isInTurn = true;
        await new Promise<void>((resolve) => void clock.schedule(resolve, 1500));
        await this.effect("tick", seq);
        this.#isInTurn = false;
      },
    };
  }

  beforeEach(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    await database.write(EFFECTS_TABLE);
    clock = new ManualClock();
    hub = new MemoryHub();
    hub.now = () => clock.monotonic();
  });

  afterEach(() => database.close());

  let started = 0;
  async function start(id: string, canHost = true): Promise<SimulatedNode> {
    const types = [CounterActor, HeavyActor, BusyActor, WorkingActor].map(
      (type) => type as unknown as ActorType<Actor<unknown>>,
    );
    const kinds = types.map((type) => ({ ...kindOf(type), hosts: () => canHost }));
    const node = new SimulatedNode({ id, hub, database, clock, seed: ++started }, kinds);
    await node.actors.start();
    await clock.advance(600);
    return node;
  }

  async function leave(node: SimulatedNode): Promise<void> {
    await clock.within(5000, node.actors.drain());
    await node.actors.stop();
    await node.crash();
  }

  const tick = (node: SimulatedNode, count: number, type: typeof CounterActor = CounterActor): Promise<unknown> =>
    clock.within(
      20_000,
      Promise.all(Array.from({ length: count }, (_, at) => node.actors.ref(type, `t${at}`).startTicking(1000, "fire"))),
      50,
    );
  const sizes = (nodes: readonly SimulatedNode[]): number[] => nodes.map(({ actors }) => actors.residents);

  /** Each actor has fired each of its timers, and none twice. */
  async function assertWhole(count: number, least: number): Promise<void> {
    const rows = await database.query<{ actor: string; seq: number }>(
      "SELECT actor, seq FROM effects ORDER BY actor, seq",
    );
    const seqs = new Map<string, number[]>();
    for (const { actor, seq } of rows) seqs.set(actor, [...(seqs.get(actor) ?? []), Number(seq)]);
    assert.equal(seqs.size, count);
    for (const [actor, fired] of seqs) {
      assert.deepEqual(
        fired,
        fired.map((_, at) => at + 1),
        actor,
      );
      assert.ok(fired.length >= least, `${actor} fired ${fired.length} times`);
    }
  }

  it("is even within a minute after a rolling restart, and costs no call and no firing", async () => {
    const ACTORS = 600;
    let nodes = [await start("a0"), await start("b0"), await start("c0")];
    await tick(nodes[0]!, ACTORS);
    await clock.advance(5000);
    for (const name of ["a", "b", "c"]) {
      await leave(nodes.find(({ id }) => id.startsWith(name))!);
      nodes = [...nodes.filter(({ id }) => !id.startsWith(name)), await start(`${name}1`)];
      await clock.advance(2000);
    }
    const uneven = Math.min(...sizes(nodes));
    assert.ok(uneven < ACTORS / 6, `the node that was restarted last has ${uneven}`);
    const answers: Array<Promise<number>> = [];
    for (let passed = 0; passed < 60; passed++) {
      for (let at = 0; at < 20; at++)
        answers.push(nodes[passed % 3]!.actors.ref(CounterActor, `t${(passed * 20 + at) % ACTORS}`).add(0));
      await clock.advance(1000);
    }
    await clock.within(5000, Promise.all(answers));
    const after = sizes(nodes);
    assert.equal(
      after.reduce((sum, size) => sum + size, 0),
      ACTORS,
    );
    assert.ok(Math.max(...after) <= 1.5 * (ACTORS / 3), `${after}`);
    await assertWhole(ACTORS, 65);
  });

  it("stays as it is once it is even", async () => {
    const nodes = [await start("a"), await start("b"), await start("c")];
    await tick(nodes[0]!, 300);
    await clock.advance(30_000);
    const before = await database.query<{ epochs: number }>("SELECT SUM(epoch) AS epochs FROM actors");
    await clock.advance(60_000);
    assert.deepEqual(await database.query("SELECT SUM(epoch) AS epochs FROM actors"), before);
  });

  it("moves actors that are always busy, between their turns: a node with too much to do has no others", async () => {
    const a = await start("a");
    await tick(a, 100, BusyActor);
    await clock.advance(10_000);
    const b = await start("b");
    const answers: Array<Promise<number>> = [];
    for (let passed = 0; passed < 40; passed++) {
      answers.push(a.actors.ref(BusyActor, `t${passed}`, { deadlineMs: 20_000 }).add(0));
      await clock.advance(1000);
    }
    await clock.within(20_000, Promise.all(answers));
    assert.ok(Math.max(...sizes([a, b])) <= 75, `${sizes([a, b])}`);
    await assertWhole(100, 20);
  });

  it("leaves actors alone that say so", async () => {
    const a = await start("a");
    await tick(a, 100, HeavyActor);
    const b = await start("b");
    await clock.advance(60_000);
    assert.deepEqual(sizes([a, b]), [100, 0]);
  });

  it("leaves actors alone that say so once their turn has ended, whatever they said during it", async () => {
    const a = await start("a");
    await tick(a, 100, WorkingActor);
    await clock.advance(10_000);
    const b = await start("b");
    await clock.advance(30_000);
    assert.deepEqual(sizes([a, b]), [100, 0]);
    await assertWhole(100, 20);
  });

  it("does not send actors to and fro that the other node cannot host", async () => {
    const a = await start("a");
    await tick(a, 100);
    const b = await start("b", false);
    await clock.advance(60_000);
    const rows = await database.query<{ epoch: number }>("SELECT epoch FROM actors WHERE epoch > 3");
    assert.deepEqual([rows.length, a.actors.residents, b.actors.residents], [0, 100, 0]);
    await assertWhole(100, 58);
  });
});
