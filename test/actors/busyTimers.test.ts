import assert from "node:assert/strict";
import type { Actor, ActorType } from "../../src/actors/runtime/Actor.ts";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import type { Database } from "../../src/entities/sql.ts";
import { openDatabase } from "../support/database.ts";
import { CounterActor, EFFECTS_TABLE, kindOf, ManualClock, SimulatedNode } from "./simulation.ts";

const LOCKED = Object.assign(new Error("locked"), { errno: 1205, sqlState: "HY000" });

let clock: ManualClock;
let tries: number;

class Busy extends CounterActor {
  static override readonly kind = "busy";

  async arm(): Promise<void> {
    this.after("fall", 1000);
  }

  /** Takes 100 ms, and changes something. */
  async slowly(): Promise<void> {
    await new Promise<void>((resolve) => void clock.schedule(resolve, 100));
    this.state.count += 1;
  }

  override readonly timers = {
    fall: async () => {
      tries += 1;
      await this.effect("fell", 1);
    },
  };
}

describe("a timer whose turn the database gives up each time, of an actor with a turn after the other (simulated cluster)", () => {
  let database: Database;
  let node: SimulatedNode;
  let goesOn: boolean;
  let calls: number;

  beforeEach(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    await database.write(EFFECTS_TABLE);
    clock = new ManualClock();
    [tries, calls, goesOn] = [0, 0, true];
    const parts = { id: "a", hub: new MemoryHub(), database, clock };
    node = new SimulatedNode(parts, [kindOf(Busy as unknown as ActorType<Actor<unknown>>)]);
    await node.actors.start();
    await clock.advance(600);
    node.life.latencyMs = () => 2;
    node.life.onOperation = (when, statement) =>
      when === "before" && statement.startsWith("INSERT INTO effects") ? { refuse: LOCKED } : undefined;
    await clock.within(1000, busy().arm());
  });

  afterEach(async () => {
    await node.crash();
    await database.close();
  });

  const busy = () => node.actors.ref(Busy, "b");

  async function call(): Promise<void> {
    for (; goesOn; calls += 1) await busy().slowly();
  }

  it("is tried ever more seldom, and shown", async () => {
    // Of two callers, one always waits in the mailbox.
    const callers = [call(), call()];
    await clock.advance(20_000);
    const [failing] = await clock.within(1000, node.actors.failingTimers.list(10));
    goesOn = false;
    await clock.within(5000, Promise.all(callers));
    assert.ok(calls > 80, `${calls} calls`);
    assert.ok(tries >= 4 && tries <= 6, `${tries} tries`);
    assert.deepEqual([failing?.timer, failing?.attempts], ["fall", tries]);
  });
});
