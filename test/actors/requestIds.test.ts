import assert from "node:assert/strict";
import { Actor, type TimerHandlers } from "../../src/actors/runtime/Actor.ts";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import type { Database } from "../../src/entities/sql.ts";
import { openDatabase } from "../support/database.ts";
import { kindOf, ManualClock, SimulatedNode } from "./simulation.ts";

class PurseActor extends Actor<{ coins: number }> {
  static readonly kind = "purse";
  static initial(): { coins: number } {
    return { coins: 0 };
  }
  readonly timers: TimerHandlers = {};
  stop: (() => void) | undefined;
  /** What was in it when it came to life, by node. */
  static readonly woken: number[] = [];

  override activated(): void {
    PurseActor.woken.push(this.state.coins);
  }

  async put({ coins }: { coins: number; from?: string }): Promise<number> {
    this.state.coins += coins;
    return this.state.coins;
  }

  async take({ coins }: { coins: number }): Promise<number> {
    this.state.coins -= coins;
    return this.state.coins;
  }

  async earn(everyMs: number): Promise<void> {
    this.state.coins += 1;
    this.stop = this.tick(everyMs, async () => {
      this.state.coins += 10;
    });
  }

  async rest(): Promise<void> {
    this.stop?.();
  }
}

describe("calls with a request id, and what only memory knows (simulated cluster)", () => {
  let database: Database;
  let clock: ManualClock;
  let node: SimulatedNode;

  beforeEach(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    clock = new ManualClock();
    PurseActor.woken.length = 0;
    node = new SimulatedNode({ id: "n", hub: new MemoryHub(), database, clock }, [kindOf(PurseActor as never)]);
    await node.actors.start();
    await clock.advance(1000);
  });
  afterEach(() => database.close());

  const within = <T>(call: Promise<T>): Promise<T> => clock.within(5000, call, 50);
  const purse = (options = {}) => node.actors.ref(PurseActor, "p", options);
  const coins = async (): Promise<number> => {
    const [row] = await database.query<{ state: string }>("SELECT state FROM actors WHERE id = 'p'");
    return (JSON.parse(row!.state) as { coins: number }).coins;
  };

  it("answer a repeat as the first time, whatever the order of its properties", async () => {
    assert.equal(await within(purse({ requestId: "r" }).put({ coins: 2, from: "a" })), 2);
    assert.equal(await within(purse({ requestId: "r" }).put({ from: "a", coins: 2 })), 2);
    assert.equal(await coins(), 2);
  });

  it("are a conflict with another method or other arguments, and take no effect", async () => {
    await within(purse({ requestId: "r" }).put({ coins: 2 }));
    await assert.rejects(within(purse({ requestId: "r" }).put({ coins: 3 })), { code: "conflict" });
    await assert.rejects(within(purse({ requestId: "r" }).take({ coins: 2 })), { code: "conflict" });
    assert.equal(await coins(), 2);
  });

  it("are the same where their caller says so, whatever the arguments", async () => {
    await within(purse({ requestId: "r", sameAs: ["two coins"] }).put({ coins: 2, from: "here" }));
    assert.equal(await within(purse({ requestId: "r", sameAs: ["two coins"] }).put({ coins: 2, from: "there" })), 2);
    const other = purse({ requestId: "r", sameAs: ["three coins"] });
    await assert.rejects(within(other.put({ coins: 2 })), { code: "conflict" });
  });

  it("are answered as before where what they were used for was not stored", async () => {
    await within(purse({ requestId: "r" }).put({ coins: 2 }));
    await database.write("UPDATE actor_requests SET digest = NULL");
    assert.equal(await within(purse({ requestId: "r" }).put({ coins: 9 })), 2);
  });

  it("have an actor told once when it comes to life, with what it has stored", async () => {
    await within(purse().put({ coins: 4 }));
    await within(purse().put({ coins: 1 }));
    await clock.advance(120_000);
    assert.equal(node.actors.residents, 0);
    await within(purse().put({ coins: 1 }));
    assert.deepEqual(PurseActor.woken, [0, 5]);
  });

  it("run turns by ticks while the actor is in memory, which they do not keep it in", async () => {
    await within(purse().earn(1000));
    await clock.advance(5500);
    assert.equal(await coins(), 51);
    await clock.advance(90_000);
    assert.equal(node.actors.residents, 0);
    const last = await coins();
    await clock.advance(10_000);
    assert.equal(await coins(), last);
    await within(purse().put({ coins: 1 }));
    await clock.advance(5000);
    assert.equal(await coins(), last + 1);
  });

  it("end ticks when the actor says so, and refuse more than an actor may have", async () => {
    await within(purse().earn(1000));
    await clock.advance(1500);
    await within(purse().rest());
    const before = await coins();
    await clock.advance(5000);
    assert.equal(await coins(), before);
    for (let at = 0; at < 16; at++) await within(purse().earn(1_000_000));
    await assert.rejects(within(purse().earn(1_000_000)), { code: "overloaded" });
  });
});
