import assert from "node:assert/strict";
import type { Actor, ActorType } from "../../src/actors/runtime/Actor.ts";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import { openDatabase } from "../../src/entities/database.ts";
import type { Database } from "../../src/entities/sql.ts";
import { RingmasterError } from "../../src/errors.ts";
import { CounterActor, EFFECTS_TABLE, kindOf, ManualClock, SimulatedNode } from "./simulation.ts";

const HOUR_MS = 3_600_000;

let fault: (() => Error) | undefined;
let hangs: boolean;
let tries: number[];

class Fragile extends CounterActor {
  static override readonly kind = "fragile";

  async arm(): Promise<void> {
    this.after("fall", 1000);
  }

  async tellIn(ms: number, to: string, times = 1): Promise<void> {
    for (let at = 0; at < times; at += 1) this.tellLater(ms, CounterActor, to).add(1);
  }

  override readonly timers = {
    fall: async () => {
      tries.push(this.now);
      this.state.count += 1;
      if (hangs) await new Promise(() => {});
      if (fault) throw fault();
    },
  };
}

describe("a timer whose handler keeps throwing, and what is told later (simulated cluster)", () => {
  let database: Database;
  let clock: ManualClock;
  let hub: MemoryHub;
  const actor = { kind: "fragile", id: "f" };

  beforeEach(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    await database.write(EFFECTS_TABLE);
    clock = new ManualClock();
    hub = new MemoryHub();
    tries = [];
    fault = () => new Error("broken");
    hangs = false;
  });

  afterEach(() => database.close());

  async function start(id: string): Promise<SimulatedNode> {
    const kinds = [CounterActor, Fragile].map((type) => kindOf(type as unknown as ActorType<Actor<unknown>>));
    const node = new SimulatedNode({ id, hub, database, clock }, kinds);
    await node.actors.start();
    await clock.advance(600);
    return node;
  }

  const within = <T>(ms: number, call: Promise<T>): Promise<T> => clock.within(ms, call, 50);
  const fragile = (node: SimulatedNode, id = "f") => node.actors.ref(Fragile, id);
  /** The pauses between its tries so far, in seconds. */
  const pauses = (): number[] => tries.slice(1).map((at, before) => Math.round((at - tries[before]!) / 1000));

  it("is tried ever more seldom, up to an hour, also where it moved meanwhile, and counts as no turn", async () => {
    const a = await start("a");
    await within(500, fragile(a).arm());
    await clock.advance(40_000);
    assert.deepEqual(pauses(), [1, 2, 4, 8, 16]);
    const [row] = await database.query<{ version: number; state: string }>("SELECT version, state FROM actors");
    assert.deepEqual(row, { version: 1, state: '{"count":0}' });
    await a.crash();
    await start("b");
    await clock.advance(120_000);
    assert.deepEqual(pauses(), [1, 2, 4, 8, 16, 32, 64]);
    // As after many more.
    const timers = JSON.parse((await database.query<{ timers: string }>("SELECT timers FROM actors"))[0]!.timers);
    assert.equal(timers[0].failed.attempts, 8);
  });

  it("waits no longer than an hour, and a minute where what it needs is only out of reach", async () => {
    for (const [of, most] of [
      [() => new Error("broken"), HOUR_MS],
      [() => new RingmasterError("unavailable"), 60_000],
    ] as const) {
      const { failedOnce } = await import("../../src/actors/runtime/timers.ts");
      const { toRingmasterError } = await import("../../src/errors.ts");
      let record = { name: "fall", due: 0, seq: 1 };
      const waits: number[] = [];
      for (let at = 0; at < 20; at += 1) {
        const failing = failedOnce(record, toRingmasterError(of()).toWire(), 0);
        waits.push(failing.failed!.waitMs);
        record = failing;
      }
      assert.deepEqual(waits.slice(0, 3), [1000, 2000, 4000]);
      assert.equal(waits.at(-1), most);
    }
  });

  it("is tried ever more seldom and shown also where it does not throw, but never comes to an end", async () => {
    const a = await start("a");
    hangs = true;
    await within(500, fragile(a).arm());
    await clock.advance(600_000);
    const [failing] = await a.actors.failingTimers.list(10);
    assert.equal(failing?.error.split(":")[0], "outcome_unknown");
    // It hangs for 30 s each time, and then waits for 1 s, 2 s, 4 s, … up to a minute.
    assert.deepEqual(pauses().slice(0, 7), [31, 32, 34, 38, 46, 62, 90]);
    hangs = false;
    fault = undefined;
    await clock.advance(120_000);
    assert.deepEqual(await a.actors.failingTimers.list(10), []);
  });

  it("is kept where this version of its actor has none of its name, and fires where another one has", async () => {
    class Forgetful extends Fragile {
      override readonly timers = {} as Fragile["timers"];
    }
    fault = undefined;
    const a = await start("a");
    await within(500, fragile(a).arm());
    await a.crash();
    const b = new SimulatedNode({ id: "b", hub, database, clock }, [
      kindOf(Forgetful as unknown as ActorType<Actor<unknown>>),
    ]);
    await b.actors.start();
    await clock.advance(20_000);
    const [failing] = await b.actors.failingTimers.list(10);
    assert.deepEqual([failing?.timer, tries.length], ["fall", 0]);
    await b.crash();
    await start("c");
    await clock.advance(60_000);
    assert.equal(tries.length, 1);
  });

  it("is shown to operators with its attempts and last error, until it succeeds", async () => {
    const a = await start("a");
    await within(500, fragile(a).arm());
    await clock.advance(20_000);
    const [failing, ...others] = await a.actors.failingTimers.list(10);
    assert.deepEqual(others, []);
    assert.deepEqual(
      { ...failing, dueAt: 0, failedAt: 0, againAt: 0 },
      {
        ...{ actor, timer: "fall", dueAt: 0, attempts: 5, failedAt: 0, againAt: 0 },
        error: "internal: Something failed on our side; it has been logged.",
      },
    );
    assert.equal(failing!.againAt - failing!.failedAt, 16_000);
    fault = undefined;
    await clock.advance(20_000);
    assert.deepEqual(await a.actors.failingTimers.list(10), []);
    assert.equal(await within(500, fragile(a).read()), 1);
  });

  it("is tried again at once when an operator says so, wherever its actor lives, and then from the shortest pause on", async () => {
    const a = await start("a");
    await within(500, fragile(a).arm());
    await clock.advance(70_000);
    const b = await start("b");
    const before = tries.length;
    await within(500, b.actors.failingTimers.retry(actor, "fall"));
    await clock.advance(1500);
    assert.equal(tries.length, before + 2);
    fault = undefined;
    await within(500, b.actors.failingTimers.retry(actor, "fall"));
    await clock.advance(200);
    assert.equal(await within(500, fragile(b).read()), 1);
    for (const timer of ["fall", "none"])
      await assert.rejects(within(500, b.actors.failingTimers.retry(actor, timer)), { code: "not_found" });
  });

  it("goes on when it should after a clock that was ahead is set right", async () => {
    const a = await start("a");
    await within(500, fragile(a).arm());
    clock.wallOffset = 24 * HOUR_MS;
    await clock.advance(10_000);
    clock.wallOffset = 0;
    fault = undefined;
    await within(500, a.actors.failingTimers.retry(actor, "fall"));
    await clock.advance(1000);
    assert.equal(await within(500, fragile(a).read()), 1);
  });

  it("tells later what it was asked to, once and by whoever owns the actor by then", async () => {
    const a = await start("a");
    await within(500, fragile(a).tellIn(60_000, "told", 3));
    await clock.advance(30_000);
    assert.equal(await within(500, a.actors.ref(CounterActor, "told").read()), 0);
    assert.deepEqual(await database.query("SELECT 1 FROM actor_tells"), []);
    await a.crash();
    const b = await start("b");
    await clock.advance(32_000);
    assert.equal(await within(500, b.actors.ref(CounterActor, "told").read()), 3);
    await clock.advance(120_000);
    assert.equal(await within(500, b.actors.ref(CounterActor, "told").read()), 3);
    const [row] = await database.query<{ timers: string }>("SELECT timers FROM actors WHERE id = 'f'");
    assert.equal(row!.timers, "[]");
  });

  it("refuses a turn that would tell more later than an actor may, or at no time that there is", async () => {
    const a = await start("a");
    await within(500, fragile(a).tellIn(60_000, "told", 999));
    await assert.rejects(within(500, fragile(a).tellIn(1, "told", 2)), { code: "overloaded" });
    await assert.rejects(within(500, fragile(a).tellIn(-1, "told")), { code: "internal" });
    await within(500, fragile(a).tellIn(60_000, "told"));
  });
});
