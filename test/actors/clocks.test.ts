import assert from "node:assert/strict";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import type { Database } from "../../src/entities/sql.ts";
import { openDatabase } from "../support/database.ts";
import { CounterActor, EFFECTS_TABLE, kindOf, ManualClock, SimulatedNode } from "./simulation.ts";

/** A node's clock that is off by more than this is known to be off. */
const MOST_OFF_MS = 2000;

interface Fired {
  id: string;
  node: string;
  /** By the timer, in epoch milliseconds. */
  dueAt: number;
  /** In truth. */
  at: number;
}

describe("clocks that are off (simulated cluster)", () => {
  let database: Database;
  let clock: ManualClock;
  let hub: MemoryHub;
  let fired: Fired[];
  let nodes: SimulatedNode[];

  /** Its timers tell when they were due, and when it really was that they fired. */
  class ClockActor extends CounterActor {
    static override readonly kind = "clock";
    async armAt(at: number): Promise<void> {
      this.at("once", at);
    }
    async tickEvery(ms: number): Promise<void> {
      this.after("again", ms);
      this.state.count = ms;
    }
    override readonly timers = {
      once: async ({ dueAt }: { dueAt: number }) => this.#tell(dueAt),
      // Set anew by the clock of its turn each time, as most actors do.
      again: async ({ dueAt }: { dueAt: number }) => {
        this.#tell(dueAt);
        this.after("again", this.state.count);
      },
    };
    #tell(dueAt: number): void {
      fired.push({ id: this.id, node: this.place.nodeId, dueAt, at: clock.monotonic() });
    }
  }

  beforeEach(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    await database.write(EFFECTS_TABLE);
    clock = new ManualClock();
    hub = new MemoryHub();
    hub.now = () => clock.monotonic();
    fired = [];
    nodes = [];
  });

  afterEach(() => database.close());

  async function start(id: string, wallOffset = 0): Promise<SimulatedNode> {
    const node = new SimulatedNode({ id, hub, database, clock, seed: nodes.length }, [kindOf(ClockActor)], {
      idleMs: 4000,
    });
    node.wallOffset = wallOffset;
    nodes.push(node);
    await node.actors.start();
    await clock.advance(600);
    return node;
  }

  const call = <T>(work: Promise<T>): Promise<T> => clock.within(2000, work, 50);
  const early = (): Fired[] => fired.filter(({ dueAt, at }) => at < dueAt - MOST_OFF_MS);
  /** The longest time between two firings of an actor, or the last one and now. */
  const longestSilence = (id: string): number => {
    const times = [...fired.filter((one) => one.id === id).map(({ at }) => at), clock.monotonic()];
    return Math.max(...times.slice(1).map((at, index) => at - times[index]!));
  };

  for (const off of [3_600_000, 10_000, -10_000, -3_600_000]) {
    it(`a node that starts with a clock ${off} ms off adopts nothing, and fires nothing early`, async () => {
      const [a, c] = [await start("a"), await start("c")];
      const dues = Array.from({ length: 40 }, (_, at) => clock.now() + 15_000 + at * 100);
      for (const [at, due] of dues.entries()) await call(a.actors.ref(ClockActor, `x${at}`).armAt(due));
      const b = await start("b", off);
      await clock.advance(500);
      assert.deepEqual(
        a.actors.membership
          .hosts()
          .map(({ id }) => id)
          .toSorted(),
        ["a", "c"],
      );
      await clock.advance(40_000);
      assert.equal(fired.length, 40);
      assert.deepEqual(early(), []);
      assert.ok(fired.every(({ node }) => node !== "b"));
      assert.ok(fired.every(({ dueAt, at }) => at < dueAt + 1500));
      assert.ok(!b.crashed && !c.crashed);
    });

    it(`a clock that jumps by ${off} ms, and is set right, silences no timer and fires none early`, async () => {
      const all = [await start("a"), await start("b"), await start("c")];
      for (let at = 0; at < 30; at++) await call(all[0]!.actors.ref(ClockActor, `t${at}`).tickEvery(1000));
      const victim = all.find(({ actors }) => actors.residents > 3)!;
      const said: unknown[] = [];
      victim.actors.membership.on((event) => {
        if (event.type === "clock") said.push([event.isOff, Math.round(event.offMs / 1000)]);
      });
      await clock.advance(5000);
      victim.wallOffset = off;
      await clock.advance(20_000);
      victim.wallOffset = 0;
      await clock.advance(20_000);
      assert.deepEqual(early(), []);
      for (let at = 0; at < 30; at++) assert.ok(longestSilence(`t${at}`) < 2500, `t${at}: ${longestSilence(`t${at}`)}`);
      assert.deepEqual(said, [
        [true, off / 1000],
        [false, 0],
      ]);
    });

    it(`a shared memory that moves to a machine ${off} ms off stops nobody, and fires nothing early`, async () => {
      const all = [await start("a"), await start("b"), await start("c")];
      for (let at = 0; at < 10; at++) await call(all[0]!.actors.ref(ClockActor, `t${at}`).tickEvery(1000));
      await call(all[0]!.actors.ref(ClockActor, "later").armAt(clock.now() + 30_000));
      await clock.advance(5000);
      hub.now = () => clock.monotonic() + off;
      await clock.advance(40_000);
      assert.deepEqual(early(), []);
      for (let at = 0; at < 10; at++) assert.ok(longestSilence(`t${at}`) < 2500);
      assert.equal(fired.filter(({ id }) => id === "later").length, 1);
      assert.equal(all[0]!.actors.membership.hosts().length, 3);
    });
  }

  it("a cluster of one whose clock is off goes on by the shared memory's time", async () => {
    const a = await start("a", 60_000);
    await call(a.actors.ref(ClockActor, "x").armAt(clock.monotonic() + 10_000));
    await clock.advance(9000);
    assert.deepEqual(fired, []);
    await clock.advance(2000);
    assert.equal(fired.length, 1);
  });
});
