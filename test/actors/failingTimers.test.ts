import assert from "node:assert/strict";
import type { Actor, ActorType } from "../../src/actors/runtime/Actor.ts";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import type { Database } from "../../src/entities/sql.ts";
import { RingmasterError } from "../../src/errors.ts";
import { openDatabase } from "../support/database.ts";
import { CounterActor, EFFECTS_TABLE, kindOf, ManualClock, noMetrics, SimulatedNode } from "./simulation.ts";

const HOUR_MS = 3_600_000;

let fault: (() => Error) | undefined;
let hangs: boolean;
let writes: boolean;
let tries: number[];

class Fragile extends CounterActor {
  static override readonly kind = "fragile";

  async arm(): Promise<void> {
    this.after("fall", 1000);
  }

  async sendIn(ms: number, to: string, times = 1): Promise<void> {
    for (let at = 0; at < times; at += 1) this.sendLater(ms, CounterActor, to).add(1);
  }

  override readonly timers = {
    fall: async () => {
      tries.push(this.now);
      this.state.count += 1;
      if (hangs) await new Promise(() => {});
      if (writes) await this.effect("fell", this.state.count);
      if (fault) throw fault();
    },
  };
}

const isOwnStatement = (statement: string): boolean => statement.startsWith("INSERT INTO effects");

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
    writes = false;
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
    const row = async () =>
      (await database.query<{ version: number; state: string }>("SELECT version, state FROM actors"))[0];
    await within(500, fragile(a).arm());
    const armed = await row();
    await clock.advance(40_000);
    assert.deepEqual(pauses(), [1, 2, 4, 8, 16]);
    assert.deepEqual(await row(), { ...armed, state: '{"count":0}' });
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
    // It hangs for 30 s each time, and then waits for 1 s, 2 s, 4 s, …
    assert.deepEqual(pauses().slice(0, 7), [31, 32, 34, 38, 46, 62, 94]);
    hangs = false;
    fault = undefined;
    await clock.advance(300_000);
    assert.deepEqual(await a.actors.failingTimers.list(10), []);
  });

  for (const [what, error, mishap] of [
    ["is given up", "not_delivered", "fall silent"],
    [
      "waits in vain for a locked row",
      "not_delivered",
      { refuse: Object.assign(new Error("locked"), { errno: 1205, sqlState: "HY000" }) },
    ],
    [
      "is killed by the server",
      "not_delivered",
      { refuse: Object.assign(new Error("killed"), { errno: 1969, sqlState: "70100" }) },
    ],
    [
      "fails as nobody knows",
      "not_delivered",
      { refuse: Object.assign(new Error("?"), { errno: 4999, sqlState: "HY000" }) },
    ],
  ] as const)
    it(`is tried ever more seldom and shown also where its own statement ${what} each time`, async () => {
      [fault, writes] = [undefined, true];
      const a = await start("a");
      a.life.onOperation = (when, statement) => (when === "before" && isOwnStatement(statement) ? mishap : undefined);
      await within(500, fragile(a).arm());
      await clock.advance(600_000);
      const spentMs = mishap === "fall silent" ? 4 : 0;
      assert.deepEqual(
        pauses().slice(0, 8),
        [1, 2, 4, 8, 16, 32, 64, 128].map((waitMs) => waitMs + spentMs),
      );
      const [failing] = await a.actors.failingTimers.list(10);
      assert.deepEqual(
        [failing?.timer, failing?.attempts, failing?.error.split(":")[0]],
        ["fall", tries.length, error],
      );
      a.life.onOperation = () => undefined;
      await within(500, a.actors.failingTimers.retry(actor, "fall"));
      await clock.advance(200);
      assert.equal(await within(500, fragile(a).read()), 1);
      assert.deepEqual(await a.actors.failingTimers.list(10), []);
    });

  it("is tried ever more seldom and shown also where its COMMIT is given up each time, wherever it lives", async () => {
    [fault, writes] = [undefined, true];
    for (const id of ["a", "b"]) {
      const node = await start(id);
      let isOwn = false;
      node.life.onOperation = (when, statement) => {
        if (when === "after") return undefined;
        isOwn = statement !== "BEGIN" && (isOwn || isOwnStatement(statement));
        return statement === "COMMIT" && isOwn ? "fall silent" : undefined;
      };
      if (id === "b") continue;
      await within(500, fragile(node).arm());
      await clock.advance(40_000);
    }
    await clock.advance(200_000);
    const [failing] = await database.query<{ timers: string }>(
      "SELECT timers FROM actors WHERE failing_at IS NOT NULL",
    );
    const [{ failed }] = JSON.parse(failing!.timers);
    assert.deepEqual([failed.attempts, failed.error.split(":")[0]], [tries.length, "outcome_unknown"]);
    // 4 s until it is given up, 1 s, 2 s, 4 s …, and what it takes to be adopted once more.
    for (const [at, pause] of pauses().entries()) assert.ok(Math.abs(pause - 2 ** at - 4.5) <= 1, `${pauses()}`);
    assert.ok(tries.length >= 6 && tries.length <= 8, `${tries.length}`);
  });

  it("is counted on the node where its actor lives, until it succeeds or the actor leaves", async () => {
    const gauges = { a: 0, b: 0 };
    const startCounting = async (id: "a" | "b"): Promise<SimulatedNode> => {
      const metrics = { ...noMetrics, timersFailing: (_: string, change: number) => (gauges[id] += change) };
      const kinds = [CounterActor, Fragile].map((type) => kindOf(type as unknown as ActorType<Actor<unknown>>));
      const node = new SimulatedNode({ id, hub, database, clock }, kinds, { metrics });
      await node.actors.start();
      await clock.advance(600);
      return node;
    };
    const a = await startCounting("a");
    for (const id of ["f", "g"]) await within(500, fragile(a, id).arm());
    await clock.advance(10_000);
    assert.deepEqual(gauges, { a: 2, b: 0 });
    await startCounting("b");
    await within(30_000, a.actors.drain());
    await clock.advance(20_000);
    assert.deepEqual(gauges, { a: 0, b: 2 });
    fault = undefined;
    await clock.advance(120_000);
    assert.deepEqual(gauges, { a: 0, b: 0 });
  });

  it("is not taken for failing while the database serves nobody, and fires within seconds of its return", async () => {
    [fault, writes] = [undefined, true];
    const a = await start("a");
    const ids = Array.from({ length: 40 }, (_, at) => `f${at}`);
    for (const id of ids) await within(500, fragile(a, id).arm());
    const readOnly = Object.assign(new Error("read only"), { errno: 1290, sqlState: "HY000" });
    for (const mishap of ["fall silent", { refuse: readOnly }] as const) {
      a.life.onOperation = (when, statement) =>
        when === "before" && (mishap === "fall silent" || !statement.startsWith("SELECT")) ? mishap : undefined;
      await clock.advance(120_000);
      assert.deepEqual(await database.query("SELECT id FROM actors WHERE failing_at IS NOT NULL"), []);
      a.life.onOperation = () => undefined;
      await clock.advance(15_000);
      assert.deepEqual(await a.actors.failingTimers.list(100), []);
      const fallen = await database.query("SELECT DISTINCT actor FROM effects");
      assert.equal(fallen.length, ids.length);
      await database.write("DELETE FROM effects");
      for (const id of ids) await within(500, fragile(a, id).arm());
    }
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

  it("sends later what it was asked to, once and by whoever owns the actor by then", async () => {
    const a = await start("a");
    await within(500, fragile(a).sendIn(60_000, "told", 3));
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
    await within(500, fragile(a).sendIn(60_000, "told", 999));
    await assert.rejects(within(500, fragile(a).sendIn(1, "told", 2)), { code: "overloaded" });
    await assert.rejects(within(500, fragile(a).sendIn(-1, "told")), { code: "internal" });
    await within(500, fragile(a).sendIn(60_000, "told"));
  });
});
