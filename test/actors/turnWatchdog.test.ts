import assert from "node:assert/strict";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import { TurnWatchdog } from "../../src/actors/runtime/TurnWatchdog.ts";
import { openDatabase } from "../support/database.ts";
import { CounterActor, EFFECTS_TABLE, kindOf, ManualClock, SimulatedNode } from "./simulation.ts";

describe("the watchdog of a turn", () => {
  let clock: ManualClock;
  let late: number;
  let watchdog: TurnWatchdog;

  beforeEach(() => {
    clock = new ManualClock();
    late = 0;
    watchdog = new TurnWatchdog(clock, 30_000, () => {
      late += 1;
    });
  });

  /** Something that the turn waits for, for so long. */
  const wait = (ms: number): Promise<void> =>
    watchdog.during(new Promise((resolve) => void clock.schedule(resolve, ms)));

  it("calls once after the turn has run for its limit", async () => {
    await clock.advance(29_999);
    assert.equal(late, 0);
    await clock.advance(100_000);
    assert.equal(late, 1);
  });

  it("does not count the time that the turn waits for, before and after which it does", async () => {
    await clock.advance(10_000);
    await clock.within(61_000, wait(60_000), 1000);
    await clock.advance(10_000);
    await clock.within(61_000, wait(60_000), 1000);
    assert.equal(late, 0);
    await clock.advance(9000);
    assert.equal(late, 0);
    await clock.advance(1000);
    assert.equal(late, 1);
  });

  it("goes on counting after a wait that failed", async () => {
    await assert.rejects(watchdog.during(Promise.reject(new Error("no connection"))), /no connection/);
    await clock.advance(30_000);
    assert.equal(late, 1);
  });

  it("counts nothing after the turn's end, be it in the middle of a wait", async () => {
    const waiting = wait(1000);
    watchdog.stop();
    await clock.within(2000, waiting);
    await clock.advance(60_000);
    assert.equal(late, 0);
  });

  it("ends the transaction of a turn that hangs, of which nothing is stored even if it should go on", async () => {
    const hang = Promise.withResolvers<void>();
    class HangingActor extends CounterActor {
      static override readonly kind = "hanging";
      async writeAndHang(): Promise<void> {
        this.state.count += 100;
        await this.effect("hung", 1);
        await hang.promise;
      }
    }
    const database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    await database.write(EFFECTS_TABLE);
    const node = new SimulatedNode({ id: "n", hub: new MemoryHub(), database, clock }, [kindOf(HangingActor)]);
    await node.actors.start();
    await clock.within(1000, node.actors.ref(HangingActor, "x").add(1));

    const call = assert.rejects(
      node.actors.call({ kind: "hanging", id: "x" }, "writeAndHang", [], { deadlineMs: 40_000 }),
      { code: "outcome_unknown" },
    );
    await clock.within(31_000, call, 100);
    // The embedded database has one connection.
    assert.equal(await clock.within(2000, node.actors.ref(HangingActor, "x").add(1)), 2);
    hang.resolve();
    await clock.advance(1000);
    assert.equal(await clock.within(2000, node.actors.ref(HangingActor, "x").add(1)), 3);
    assert.deepEqual(await database.query("SELECT * FROM effects WHERE name = 'hung'"), []);
    await node.crash();
    await database.close();
  });

  it("lets a turn wait for a connection for longer than turns may run", async () => {
    class SlowActor extends CounterActor {
      static override readonly kind = "slow";
      async writeFor(ms: number): Promise<void> {
        await this.effect("written", 1);
        await new Promise<void>((resolve) => void clock.schedule(resolve, ms));
      }
    }
    const database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    await database.write(EFFECTS_TABLE);
    const node = new SimulatedNode({ id: "n", hub: new MemoryHub(), database, clock }, [kindOf(SlowActor)]);
    await node.actors.start();
    await clock.within(1000, node.actors.ref(SlowActor, "x").add(1));

    // The embedded database has one connection.
    const other = await database.begin();
    const call = node.actors.call({ kind: "slow", id: "x" }, "writeFor", [20_000], { deadlineMs: 100_000 });
    await clock.advance(40_000);
    await other.rollback();
    await clock.within(25_000, call, 100);
    assert.equal((await database.query("SELECT * FROM effects WHERE actor = 'x'")).length, 1);
    await node.crash();
    await database.close();
  });
});
