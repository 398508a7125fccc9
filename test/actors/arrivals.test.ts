import assert from "node:assert/strict";
import { Arrivals } from "../../src/actors/runtime/Arrivals.ts";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import { openDatabase } from "../support/database.ts";
import { CounterActor, kindOf, ManualClock, SimulatedNode } from "./simulation.ts";

const FIRST = 1_800_000_000_000_000;
const WINDOW = 65_536;

describe("the calls that have come from a peer", () => {
  it("are each taken once, in whatever order they come", () => {
    const arrivals = new Arrivals();
    const numbers = [5, 1, 3, 1, 2, 5, 4, 3].map((n) => FIRST + n);
    assert.deepEqual(
      numbers.filter((n) => arrivals.isFirst(n)).map((n) => n - FIRST),
      [5, 1, 3, 2, 4],
    );
  });

  it("are remembered as far back as a peer can have in flight, and count as known beyond", () => {
    const arrivals = new Arrivals();
    assert.ok(arrivals.isFirst(FIRST));
    assert.ok(arrivals.isFirst(FIRST + WINDOW - 1));
    assert.equal(arrivals.isFirst(FIRST), false);
    assert.ok(arrivals.isFirst(FIRST + 1));
    assert.ok(arrivals.isFirst(FIRST + WINDOW + 1));
    assert.equal(arrivals.isFirst(FIRST + 1), false);
    assert.ok(arrivals.isFirst(FIRST + WINDOW));
  });

  it("begin anew behind a leap", () => {
    const arrivals = new Arrivals();
    for (let n = 0; n < 100; n += 1) assert.ok(arrivals.isFirst(FIRST + n));
    for (let n = 0; n < 100; n += 1) assert.ok(arrivals.isFirst(FIRST + 10 * WINDOW + n));
    assert.equal(arrivals.isFirst(FIRST + 10 * WINDOW), false);
  });

  it("make one turn each, though the bus brings each twice", async () => {
    const database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    const [hub, clock] = [new MemoryHub(), new ManualClock()];
    const [here, there] = ["here", "there"].map(
      (id) => new SimulatedNode({ id, hub, database, clock }, [kindOf(CounterActor)]),
    );
    for (const node of [here!, there!]) {
      node.bus.fate = () => [0, 100];
      await node.actors.start();
    }
    await clock.advance(600);
    const add = (node: SimulatedNode): Promise<number> =>
      clock.within(2000, node.actors.ref(CounterActor, "counted").add(1));
    assert.deepEqual([await add(here!), await add(there!)], [1, 2]);
    await clock.advance(200);
    assert.deepEqual([await add(here!), await add(there!)], [3, 4]);
    for (const node of [here!, there!]) await node.crash();
    await database.close();
  });

  it("make one turn each, though they come again after their node has left", async () => {
    const database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    const [hub, clock] = [new MemoryHub(), new ManualClock()];
    const [here, there] = ["here", "there"].map(
      (id) => new SimulatedNode({ id, hub, database, clock }, [kindOf(CounterActor)]),
    );
    for (const node of [here!, there!]) await node.actors.start();
    await clock.advance(600);
    const ids = Array.from({ length: 10 }, (_, n) => `c${n}`);
    const addAll = (node: SimulatedNode): Promise<number[]> =>
      clock.within(5000, Promise.all(ids.map((id) => node.actors.ref(CounterActor, id).add(1))));
    here!.bus.fate = () => [0, 8000];
    there!.bus.fate = () => [0, 8000];
    assert.deepEqual(
      await addAll(there!),
      ids.map(() => 1),
    );
    await clock.within(5000, there!.actors.drain());
    await there!.actors.stop();
    await clock.advance(10_000);
    assert.deepEqual(
      await addAll(here!),
      ids.map(() => 2),
    );
    await here!.crash();
    await database.close();
  });
});
