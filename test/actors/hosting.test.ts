import assert from "node:assert/strict";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import { Placement } from "../../src/actors/runtime/placement.ts";
import type { Database } from "../../src/entities/sql.ts";
import { openDatabase } from "../support/database.ts";
import { CounterActor, EFFECTS_TABLE, kindOf, ManualClock, SimulatedNode } from "./simulation.ts";

/** The runtime's own: how long a node's silence is borne. */
const TTL_MS = 3000;

describe("an actor that only some nodes can host (simulated cluster)", () => {
  let database: Database;
  let clock: ManualClock;
  let hub: MemoryHub;

  beforeEach(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    await database.write(EFFECTS_TABLE);
    clock = new ManualClock();
    hub = new MemoryHub();
  });

  afterEach(() => database.close());

  async function start(id: string, canHost: boolean): Promise<SimulatedNode> {
    const kind = { ...kindOf(CounterActor), hosts: () => canHost };
    const node = new SimulatedNode({ id, hub, database, clock }, [kind]);
    await node.actors.start();
    await clock.advance(600);
    return node;
  }

  /** Runs a call to its end while time passes. */
  function within<T>(ms: number, call: Promise<T>): Promise<T> {
    return clock.within(ms, call, 50);
  }

  const counter = (node: SimulatedNode, id: string) => node.actors.ref(CounterActor, id);
  const row = async (id: string) => {
    const found = await database.query<{ owner: string | null; epoch: number; state: string }>(
      "SELECT owner, epoch, state FROM actors WHERE id = ?",
      [id],
    );
    return found[0];
  };
  const ticks = async (id: string) =>
    (await database.query<{ seq: number }>("SELECT seq FROM effects WHERE actor = ? ORDER BY seq", [id])).map(
      ({ seq }) => seq,
    );
  /** An id that placement would have on each of these nodes, in this order of nodes. */
  const idsPreferring = (nodeIds: readonly string[]): string[] =>
    nodeIds.map((wanted) => {
      for (let at = 0; ; at++) if (new Placement(nodeIds).nodeOf(`counter/${at}`) === wanted) return String(at);
    });

  it("comes to life on such a node at its first call, whoever calls it and wherever it should live", async () => {
    const unable = [await start("a", false), await start("b", false), await start("c", false)];
    const able = await start("d", true);
    for (const id of idsPreferring(["a", "b", "c", "d"])) {
      const calls = [...unable, able].map((node) => counter(node, id).add(1));
      const counts = await within(5000, Promise.all(calls));
      assert.deepEqual(counts.toSorted(), [1, 2, 3, 4], id);
      assert.deepEqual(await row(id), { owner: "d", epoch: 1, state: '{"count":4}' }, id);
    }
    assert.deepEqual(
      unable.map(({ actors }) => actors.residents),
      [0, 0, 0],
    );
  });

  it("is not made while there is no such node: its calls have not been delivered", async () => {
    const [a] = [await start("a", false), await start("b", false)];
    await assert.rejects(within(15_000, counter(a, "x").add(1)), { code: "not_delivered" });
    assert.equal(await row("x"), undefined);
  });

  it("takes a call that came before the first such node did", async () => {
    const [a] = [await start("a", false), await start("b", false)];
    const call = counter(a, "x").add(1);
    await clock.advance(3000);
    await start("c", true);
    assert.equal(await within(5000, call), 1);
    assert.equal((await row("x"))!.owner, "c");
  });

  it("is left alone when its node dies, until such a node comes, which fires each of its timers", async () => {
    await start("a", false);
    const able = await start("b", true);
    const ids = idsPreferring(["a", "b"]);
    for (const id of ids) await within(500, counter(able, id).startTicking(1000, "fire"));
    await clock.advance(3500);
    await able.crash();
    await clock.advance(TTL_MS + 1000);
    const left = await Promise.all(ids.map(row));
    assert.ok(left.every((found) => found!.owner === null));
    await clock.advance(60_000);
    assert.deepEqual(await Promise.all(ids.map(row)), left, "nobody has touched it");
    await start("c", true);
    await clock.advance(5000);
    for (const id of ids) {
      const fired = await ticks(id);
      assert.ok(fired.length >= 60, `${fired.length}`);
      assert.deepEqual(
        fired,
        fired.map((_, at) => at + 1),
      );
      assert.deepEqual([(await row(id))!.owner, (await row(id))!.epoch], ["c", left[0]!.epoch + 1]);
    }
  });

  it("loses no call and takes none twice while such nodes hand it over beside others", async () => {
    const [caller] = [await start("a", false), await start("b", false)];
    let able = await start("c0", true);
    const calls: Array<Promise<number>> = [];
    for (let round = 1; round <= 3; round++) {
      const next = await start(`c${round}`, true);
      const drained = able.actors.drain();
      for (let at = 0; at < 20; at++) {
        calls.push(counter(caller, "x").add(1));
        await clock.advance(10);
      }
      await within(5000, drained);
      able = next;
    }
    const counts = await within(5000, Promise.all(calls));
    assert.deepEqual(
      counts.toSorted((one, other) => one - other),
      counts.map((_, at) => at + 1),
    );
    assert.deepEqual([counts.length, (await row("x"))!.owner], [60, "c3"]);
  });
});
