import assert from "node:assert/strict";
import { Actor, type TimerHandlers } from "../../src/actors/runtime/Actor.ts";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import type { Database } from "../../src/entities/sql.ts";
import { openDatabase } from "../support/database.ts";
import { kindOf, ManualClock, SimulatedNode } from "./simulation.ts";

/** Three versions of one kind: each keeps what the one before did in another shape. */
class Ledger1 extends Actor<{ sum: number }> {
  static readonly kind = "ledger";
  static initial(): { sum: number } {
    return { sum: 0 };
  }
  readonly timers: TimerHandlers = {
    tick: async () => {
      this.state.sum += 100;
    },
  };

  async add(amount: number): Promise<number> {
    this.state.sum += amount;
    return this.state.sum;
  }

  async armIn(ms: number): Promise<void> {
    this.after("tick", ms);
  }

  async sum(): Promise<number> {
    return this.state.sum;
  }
}

class Ledger2 extends Actor<{ entries: number[] }> {
  static readonly kind = "ledger";
  static readonly version: number = 2;
  static initial(): { entries: number[] } {
    return { entries: [] };
  }
  static migrate(state: unknown, from: number): { entries: number[] } {
    assert.equal(from, 1);
    return { entries: [(state as { sum: number }).sum] };
  }
  readonly timers: TimerHandlers = {
    tick: async () => {
      this.state.entries.push(100);
    },
  };

  async add(amount: number): Promise<number> {
    this.state.entries.push(amount);
    return this.sum();
  }

  async armIn(ms: number): Promise<void> {
    this.after("tick", ms);
  }

  async sum(): Promise<number> {
    return this.state.entries.reduce((sum, entry) => sum + entry, 0);
  }
}

class Ledger3 extends Ledger2 {
  static override readonly version = 3;
  static override migrate(state: unknown, from: number): { entries: number[] } {
    const { entries } = from === 1 ? Ledger2.migrate(state, from) : (state as { entries: number[] });
    return { entries: entries.filter((entry) => entry !== 0) };
  }
}

class Stubborn extends Ledger2 {
  static override migrate(): never {
    throw new Error("as asked");
  }
}

describe("the versions of an actor's state (simulated cluster)", () => {
  let database: Database;
  let clock: ManualClock;
  let hub: MemoryHub;

  beforeEach(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    clock = new ManualClock();
    hub = new MemoryHub();
  });
  afterEach(() => database.close());

  async function start(id: string, type: typeof Ledger1 | typeof Ledger2): Promise<SimulatedNode> {
    const node = new SimulatedNode({ id, hub, database, clock }, [kindOf(type as never)]);
    await node.actors.start();
    await clock.advance(1200);
    return node;
  }
  const within = <T>(call: Promise<T>): Promise<T> => clock.within(40_000, call, 50);
  const ledger = (node: SimulatedNode, id = "x") => node.actors.ref(Ledger2, id);
  const row = async (id = "x") => {
    const [found] = await database.query<{ owner: string | null; state: string; state_version: number }>(
      "SELECT owner, state, state_version FROM actors WHERE id = ?",
      [id],
    );
    return found && { ...found, state: JSON.parse(found.state) as unknown };
  };
  const leave = async (node: SimulatedNode): Promise<void> => {
    await within(node.actors.drain());
    await node.actors.stop();
  };

  it("that are earlier are migrated when they are loaded, and stored by the next turn that changes something", async () => {
    const old = await start("old", Ledger1);
    await within(ledger(old).add(5));
    assert.equal((await row())?.state_version, 1);
    await leave(old);
    const young = await start("young", Ledger2);
    assert.equal(await within(ledger(young).sum()), 5);
    assert.deepEqual(await row(), { owner: "young", state: { sum: 5 }, state_version: 1 });
    assert.equal(await within(ledger(young).add(2)), 7);
    assert.deepEqual(await row(), { owner: "young", state: { entries: [5, 2] }, state_version: 2 });
    await leave(young);
    const younger = await start("younger", Ledger3);
    assert.equal(await within(ledger(younger).add(1)), 8);
    assert.equal((await row())?.state_version, 3);
  });

  it("are migrated over several at once, also where a timer is what brings the actor to life", async () => {
    const old = await start("old", Ledger1);
    await within(ledger(old).add(0));
    await within(ledger(old).armIn(3000));
    await leave(old);
    const younger = await start("younger", Ledger3);
    await clock.advance(5000);
    assert.deepEqual(await row(), { owner: "younger", state: { entries: [100] }, state_version: 3 });
    assert.equal(younger.actors.residents, 1);
  });

  it("that are later are left to nodes that know them, whoever is called and whoever finds a timer due", async () => {
    const young = await start("young", Ledger2);
    for (const id of ["x", "y", "z"]) await within(ledger(young, id).add(1));
    const old = [await start("old", Ledger1), await start("older", Ledger1)];
    await young.crash();
    const again = await start("again", Ledger2);
    for (const id of ["x", "y", "z"]) {
      const sums = await within(Promise.all([...old, again].map((node) => ledger(node, id).sum())));
      assert.deepEqual(sums, [1, 1, 1], id);
      assert.equal((await row(id))?.owner, "again");
    }
    for (const id of ["x", "y", "z"]) await within(ledger(old[0]!, id).armIn(20_000));
    await again.crash();
    const last = await start("last", Ledger2);
    await clock.advance(60_000);
    for (const id of ["x", "y", "z"])
      assert.deepEqual(await row(id), { owner: "last", state: { entries: [1, 100] }, state_version: 2 }, id);
    assert.equal(last.actors.residents, 3);
  });

  it("that no node knows are unavailable, until one comes that does", async () => {
    const young = await start("young", Ledger2);
    await within(ledger(young).add(1));
    await leave(young);
    const old = await start("old", Ledger1);
    await assert.rejects(within(ledger(old).sum()), { code: "unavailable", message: /version 2 of ledger\/x/ });
    assert.deepEqual(await row(), { owner: null, state: { entries: [1] }, state_version: 2 });
    const waits = ledger(old).sum();
    await start("again", Ledger2);
    assert.equal(await within(waits), 1);
  });

  it("that cannot be migrated stay as they are", async () => {
    const old = await start("old", Ledger1);
    await within(ledger(old).add(5));
    await leave(old);
    const stubborn = await start("stubborn", Stubborn);
    await assert.rejects(within(ledger(stubborn).sum()), { code: "internal" });
    assert.deepEqual((await row())?.state, { sum: 5 });
    const young = await start("young", Ledger2);
    assert.equal(await within(ledger(young).sum()), 5);
  });
});
