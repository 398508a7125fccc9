import assert from "node:assert/strict";
import type { Actor, ActorContext, ActorType } from "../../src/actors/runtime/Actor.ts";
import { ActorStore } from "../../src/actors/runtime/ActorStore.ts";
import { CrashBlame } from "../../src/actors/runtime/CrashBlame.ts";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import { Residents } from "../../src/actors/runtime/Residents.ts";
import { seededRng } from "../../src/clock.ts";
import type { Database } from "../../src/entities/sql.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import { openDatabase } from "../support/database.ts";
import { hearing } from "../support/hearing.ts";
import { CounterActor, EFFECTS_TABLE, kindOf, ManualClock, noMetrics, SimulatedNode, silentLog } from "./simulation.ts";

/** The runtime's own: how long a node's silence is borne. */
const TTL_MS = 3000;

describe("the actor runtime at its edges", () => {
  let database: Database;
  let clock: ManualClock;
  let hub: MemoryHub;
  let feed: MemoryFeed;

  beforeEach(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    await database.write(EFFECTS_TABLE);
    clock = new ManualClock();
    hub = new MemoryHub();
    feed = new MemoryFeed(clock);
  });

  afterEach(() => database.close());

  async function start(id: string, types: ActorType<CounterActor>[] = []): Promise<SimulatedNode> {
    const kinds = [CounterActor, ...types].map((type) => kindOf(type as unknown as ActorType<Actor<unknown>>));
    const node = new SimulatedNode({ id, hub, database, clock, feed }, kinds);
    await node.actors.start();
    await clock.advance(600);
    return node;
  }

  /** Runs a call to its end while time passes. */
  function within<T>(ms: number, call: Promise<T>): Promise<T> {
    return clock.within(ms, call, 50);
  }

  const counter = (node: SimulatedNode, id: string, options = {}) => node.actors.ref(CounterActor, id, options);
  const ticks = async (id: string) =>
    (await database.query<{ seq: number }>("SELECT seq FROM effects WHERE actor = ? ORDER BY seq", [id])).map(
      ({ seq }) => seq,
    );

  it("reads nothing old after it was cut off and the actor lived elsewhere", async () => {
    const a = await start("a");
    await within(1000, counter(a, "x").add(1));
    const b = await start("b");
    a.bus.cut = true;
    await clock.advance(TTL_MS + 1000);
    assert.equal(await within(1000, counter(b, "x").add(1)), 2);
    a.bus.cut = false;
    await clock.advance(1000);
    assert.equal(await within(1000, counter(a, "x").read()), 2);
  });

  it("reads nothing old after its machine was suspended, which its own clock does not tell", async () => {
    hub.now = () => clock.monotonic();
    const a = await start("a");
    await within(1000, counter(a, "x").add(1));
    assert.equal(await within(1000, counter(a, "x").read()), 1);
    const b = await start("b");
    await a.life.stall();
    const suspendedAt = clock.monotonic();
    await clock.advance(TTL_MS + 1000);
    assert.equal(await within(1000, counter(b, "x").add(1)), 2);
    a.suspendedMs = clock.monotonic() - suspendedAt;
    a.life.wake();
    await clock.advance(1000);
    assert.equal(await within(1000, counter(a, "x").read()), 2);
  });

  it("does not hold it against a suspected actor that the database went away during its turns", async () => {
    const a = await start("a");
    await within(500, counter(a, "x").add(1));
    await a.crash();
    await database.write("UPDATE actors SET owner = NULL, crashes = 2");
    const b = await start("b");
    for (let outage = 0; outage < 3; outage++) {
      await within(500, counter(b, "x").read());
      let isAway = false;
      b.life.onOperation = (when, statement) => {
        isAway ||= when === "before" && statement.includes("version = version + 1");
        return isAway ? "lose connection" : undefined;
      };
      await assert.rejects(within(500, counter(b, "x").add(1)), { code: "outcome_unknown" });
      b.life.onOperation = () => undefined;
      await clock.advance(1000);
    }
    assert.equal(await within(500, counter(b, "x").add(1)), 2);
  });

  it("fires a timer that is armed anew when that says, however its earlier setting fared", async () => {
    class Faulty extends CounterActor {
      static override readonly kind = "faulty";
      static isBroken = true;
      async armIn(ms: number): Promise<void> {
        this.after("tock", ms);
      }
      override readonly timers = {
        tock: async () => {
          if (Faulty.isBroken) throw new Error("as asked");
          this.state.count += 1;
        },
      };
    }
    const a = await start("a", [Faulty]);
    await within(500, a.actors.ref(Faulty, "x").armIn(0));
    await clock.advance(20_000);
    Faulty.isBroken = false;
    await within(500, a.actors.ref(Faulty, "x").armIn(1000));
    await clock.advance(1500);
    assert.equal(await within(500, a.actors.ref(Faulty, "x").read()), 1);
  });

  it("drops its actors after a stall that caught its beat on the way", async () => {
    const a = await start("a");
    await within(1000, counter(a, "x").add(1));
    a.bus.beat = async () => {
      await a.life.stall();
      await a.life.reached(undefined);
      throw new Error("Command timed out");
    };
    await clock.advance(7000);
    assert.equal(a.actors.residents, 1);
    a.life.wake();
    await clock.advance(1000);
    assert.equal(a.actors.residents, 0);
  });

  it("fires the timers of an actor whose adoption was stored and seemed to fail", async () => {
    const a = await start("a");
    await within(500, counter(a, "t").startTicking(500, "fire"));
    await a.crash();
    const b = await start("b");
    let isLost = false;
    b.life.onOperation = (when, statement) => {
      if (isLost || when === "before" || statement !== "COMMIT") return undefined;
      isLost = true;
      return "lose connection";
    };
    await clock.advance(TTL_MS + 5000);
    assert.ok(isLost);
    assert.ok((await ticks("t")).length >= 12);
  });

  it("fires the timer of an actor that it let go and could not free", async () => {
    const a = new SimulatedNode({ id: "a", hub, database, clock, feed }, [kindOf(CounterActor)], { idleMs: 5000 });
    await a.actors.start();
    await within(500, counter(a, "t").startTicking(60_000, "fire"));
    a.life.onOperation = (_, statement) => (statement.includes("SET owner = NULL") ? "lose connection" : undefined);
    await clock.advance(30_000);
    assert.equal(a.actors.residents, 0);
    await clock.advance(35_000);
    assert.deepEqual(await ticks("t"), [1]);
  });

  it("fires a timer on time that comes due long after its node died", async () => {
    const a = await start("a");
    const dues = Array.from({ length: 40 }, (_, at) => 60 + at);
    for (const due of dues) await within(500, counter(a, `t${due}`).startTicking(due * 1000, "fire"));
    const b = await start("b");
    await a.crash();
    await clock.advance(55_000);
    for (const due of dues) {
      await clock.advance(1000);
      const late = await database.query("SELECT id FROM actors WHERE due_at < ?", [clock.now() - 5000]);
      assert.deepEqual(late, [], `after ${due} s`);
    }
    assert.ok(!b.crashed);
  });

  it("lets whoever claimed an actor last have it", async () => {
    const row = { kind: "counter", id: "x", version: 0, state: "{}", stateVersion: 1, timers: [], crashes: 0 };
    const node = await start("a");
    const blame = new CrashBlame(database, "a", { clock, rng: seededRng(1), log: silentLog });
    const { membership } = node.actors;
    const ports = { membership, blame, clock, rng: seededRng(1), log: silentLog, metrics: noMetrics };
    const residents = new Residents([kindOf(CounterActor)], { ...ports, store: new ActorStore(database, "a") }, () =>
      assert.fail(),
    );
    await residents.settle([{ ...row, epoch: 3 }]);
    await residents.settle([{ ...row, epoch: 2 }]);
    assert.equal(residents.get("counter/x")?.row.epoch, 3);
    await residents.settle([{ ...row, epoch: 4 }]);
    assert.equal(residents.get("counter/x")?.row.epoch, 4);
    assert.equal(residents.size, 1);
  });

  it("leaves an actor that it cannot load, or whose kind it does not know, to the others", async () => {
    let isBroken = false;
    class Fragile extends CounterActor {
      static override readonly kind = "fragile";
      constructor(context: ActorContext) {
        super(context);
        if (isBroken) throw new Error("as asked");
      }
    }
    class Foreign extends CounterActor {
      static override readonly kind = "foreign";
    }
    const a = await start("a", [Fragile, Foreign]);
    await within(500, a.actors.ref(Fragile, "fragile").startTicking(500, "fire"));
    await within(500, a.actors.ref(Foreign, "foreign").startTicking(500, "fire"));
    await within(500, counter(a, "plain").startTicking(500, "fire"));
    await a.crash();
    isBroken = true;
    const b = await start("b", [Fragile]);
    await clock.advance(TTL_MS + 5000);
    assert.equal(b.actors.residents, 1);
    assert.ok((await ticks("plain")).length >= 12);
    await assert.rejects(within(5000, b.actors.ref(Fragile, "fragile").read()), { code: "internal" });
    await b.crash();
    isBroken = false;
    await start("c", [Fragile, Foreign]);
    await clock.advance(TTL_MS + 5000);
    for (const id of ["fragile", "foreign"]) assert.ok((await ticks(id)).length >= 24, id);
  });

  it("delivers what an actor sends its own caller, which waits for it", async () => {
    class Asker extends CounterActor {
      static override readonly kind = "asker";
      async ask(): Promise<void> {
        await node.actors.ref(Answerer, "answerer").answer(this.id);
        this.state.count += 1;
      }
    }
    class Answerer extends CounterActor {
      static override readonly kind = "answerer";
      async answer(to: string): Promise<void> {
        this.state.count += 1;
        this.send(Asker, to).add(10);
      }
    }
    const node = await start("a", [Asker, Answerer]);
    await within(1000, node.actors.ref(Asker, "asker").ask());
    await clock.advance(1000);
    assert.equal(await within(1000, node.actors.ref(Asker, "asker").read()), 11);
  });

  it("holds up no event and no other actor for one that cannot be told", async () => {
    const a = await start("a");
    const heard: unknown[] = [];
    await feed.follow(
      "news",
      hearing(({ data }) => heard.push(data)),
    );
    for (const id of ["quarantined", "other"]) await within(500, counter(a, id).add(1));
    await a.crash();
    await database.write("UPDATE actors SET crashes = 9, owner = NULL WHERE id = 'quarantined'");
    const b = await start("b");
    await within(500, counter(b, "x").passOn("quarantined"));
    await clock.advance(3000);
    await within(500, counter(b, "x").announce("news"));
    await within(500, counter(b, "x").passOn("other"));
    await clock.advance(50);
    assert.deepEqual(heard, [{ count: 2 }]);
    assert.equal(await within(TTL_MS + 1000, counter(b, "other").read()), 11);
    await database.write("UPDATE actors SET crashes = 0");
    await clock.advance(6000);
    assert.equal(await within(500, counter(b, "quarantined").read()), 11);
  });

  it("answers a caller elsewhere with a typed error when JSON has no form for the answer, and stores nothing", async () => {
    class Banker extends CounterActor {
      static override readonly kind = "banker";
      async balance(): Promise<bigint> {
        return 1n;
      }
    }
    const a = await start("a", [Banker]);
    await within(500, a.actors.ref(Banker, "x").add(1));
    const b = await start("b", [Banker]);
    await assert.rejects(within(1000, b.actors.ref(Banker, "x").balance()), { code: "not_serializable" });
    assert.equal(await within(1000, b.actors.ref(Banker, "x").add(1)), 2);
  });

  it("ends a call at its deadline also on this node, with an honest outcome", async () => {
    class Slow extends CounterActor {
      static override readonly kind = "slow";
      async work(): Promise<void> {
        await new Promise(() => {});
      }
    }
    const a = await start("a", [Slow]);
    const began = clock.monotonic();
    await assert.rejects(within(5000, a.actors.ref(Slow, "x", { deadlineMs: 1000 }).work()), {
      code: "outcome_unknown",
    });
    class Hanging extends ActorStore {
      override async find(): Promise<never> {
        return new Promise(() => {});
      }
    }
    const makeStore = (base: Database, id: string): ActorStore => new Hanging(base, id);
    const b = new SimulatedNode({ id: "b", hub, database, clock }, [kindOf(CounterActor)], { makeStore });
    await b.actors.start();
    await assert.rejects(within(5000, counter(b, "y", { deadlineMs: 1000 }).add(1)), { code: "not_delivered" });
    assert.ok(clock.monotonic() - began <= 2200);
  });

  it("does not take back that a call may have happened because its repetition did not", async () => {
    class Slow extends CounterActor {
      static override readonly kind = "slow";
      async work(): Promise<void> {
        await new Promise(() => {});
      }
    }
    const a = await start("a", [Slow]);
    await within(500, a.actors.ref(Slow, "x").read());
    const b = await start("b", [Slow]);
    const call = b.actors.ref(Slow, "x", { requestId: "r", deadlineMs: 9000 }).work();
    call.catch(() => {});
    await clock.advance(100);
    await a.crash();
    await database.write("UPDATE actors SET crashes = 9");
    await assert.rejects(within(9000, call), { code: "outcome_unknown" });
  });

  it("outlives what a message, a late await, and code outside the turns do wrong", async () => {
    class Careless extends CounterActor {
      static override readonly kind = "careless";
      override deactivated(): void {
        throw new Error("as asked");
      }
      async throwLater(): Promise<void> {
        this.state.count += 1;
        this.afterCommit(() => {
          throw new Error("as asked");
        });
      }
      async awaitLate(): Promise<void> {
        const opening = this.sql();
        await new Promise((resolve) => setImmediate(resolve));
        await opening;
      }
    }
    const a = await start("a", [Careless]);
    hub.ears.get("a")!("this is no message");
    await within(500, a.actors.ref(Careless, "x").throwLater());
    a.life.onOperation = (_, statement) => (statement === "BEGIN" ? "lose connection" : undefined);
    await assert.rejects(within(500, a.actors.ref(Careless, "x").awaitLate()), { code: "not_delivered" });
    a.life.onOperation = () => undefined;
    assert.equal(await within(500, a.actors.ref(Careless, "x").add(1)), 2);
    await within(1000, a.actors.drain());
    assert.equal(a.actors.residents, 0);
  });
});
