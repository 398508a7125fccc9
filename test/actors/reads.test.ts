import assert from "node:assert/strict";
import { Actor, type TimerHandlers } from "../../src/actors/runtime/Actor.ts";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import type { Database } from "../../src/entities/sql.ts";
import { openDatabase } from "../support/database.ts";
import { kindOf, ManualClock, SimulatedNode } from "./simulation.ts";

class ShelfActor extends Actor<{ books: string[] }> {
  static readonly kind = "shelf";
  static readonly reads = ["books", "vandalise", "write", "wait", "when"];
  static readonly stateBytes: number = 1000;
  static initial(): { books: string[] } {
    return { books: [] };
  }
  readonly timers: TimerHandlers = {};
  static gate: Promise<void> = Promise.resolve();

  async add(book: string): Promise<number> {
    this.state.books.push(book);
    return this.state.books.length;
  }

  async addSlowly(book: string): Promise<void> {
    this.state.books.push(book);
    await ShelfActor.gate;
  }

  async remove(): Promise<void> {
    this.state.books.pop();
  }

  async books(): Promise<string[]> {
    return this.state.books;
  }

  async vandalise(): Promise<void> {
    this.state.books.length = 0;
  }

  async write(): Promise<void> {
    this.after("tick", 1);
  }

  async wait(): Promise<string[]> {
    await ShelfActor.gate;
    return this.state.books;
  }

  async when(): Promise<number> {
    return this.now;
  }
}

class WideShelf extends ShelfActor {
  static override readonly stateBytes = 2000;
}

describe("the reads of an actor, and how large its state may be (simulated cluster)", () => {
  let database: Database;
  let clock: ManualClock;
  let hub: MemoryHub;
  let node: SimulatedNode;

  beforeEach(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    clock = new ManualClock();
    hub = new MemoryHub();
    ShelfActor.gate = Promise.resolve();
    node = await start("a");
  });
  afterEach(() => database.close());

  async function start(id: string, type: typeof ShelfActor = ShelfActor): Promise<SimulatedNode> {
    const started = new SimulatedNode({ id, hub, database, clock }, [kindOf(type as never)]);
    await started.actors.start();
    await clock.advance(1000);
    return started;
  }
  const within = <T>(call: Promise<T>): Promise<T> => clock.within(12_000, call, 50);
  const shelf = (at = node) => at.actors.ref(ShelfActor, "s");

  it("run beside a turn that waits, and beside each other, on what was stored last", async () => {
    await within(shelf().add("one"));
    const gate = Promise.withResolvers<void>();
    ShelfActor.gate = gate.promise;
    const [turn, slow] = [shelf().addSlowly("two"), shelf().wait()];
    await clock.advance(100);
    assert.deepEqual(await within(shelf().books()), ["one"]);
    gate.resolve();
    await within(turn);
    assert.deepEqual(await within(slow), ["one"], "it began before the turn was stored");
    assert.deepEqual(await within(shelf().books()), ["one", "two"]);
  });

  it("change nothing: neither the state, nor through their answers, nor a timer", async () => {
    await within(shelf().add("one"));
    await assert.rejects(within(shelf().vandalise()), { code: "internal" });
    await assert.rejects(within(shelf().write()), { code: "internal" });
    (await within(shelf().books())).push("two");
    assert.deepEqual(await within(shelf().books()), ["one"]);
    assert.equal(await within(shelf().add("two")), 2);
  });

  it("are told the time when they ask for it", async () => {
    await within(shelf().add("one"));
    const first = await within(shelf().when());
    await clock.advance(5000);
    assert.ok((await within(shelf().when())) >= first + 5000);
  });

  it("leave no row of what nobody has made, and nothing in memory", async () => {
    assert.deepEqual(await within(shelf().books()), []);
    assert.deepEqual(await database.query("SELECT * FROM actors"), []);
    assert.equal(node.actors.residents, 0);
  });

  it("are not answered from the memory of a node that has lost the actor without knowing", async () => {
    await within(shelf().add("one"));
    assert.deepEqual(await within(shelf().books()), ["one"]);
    const b = await start("b");
    node.bus.cut = true;
    await clock.advance(8000);
    assert.equal(await within(shelf(b).add("two")), 2);
    const told = shelf()
      .books()
      .catch(() => "refused");
    assert.notDeepEqual(await within(told), ["one"]);
  });

  it("cost no statement while their node is sure of the actor", async () => {
    await within(shelf().add("one"));
    await within(shelf().books());
    const statements: string[] = [];
    node.life.onOperation = (when, statement) => {
      if (when === "before" && statement.includes("id = ?")) statements.push(statement);
      return undefined;
    };
    const all = await within(Promise.all(Array.from({ length: 500 }, () => shelf().books())));
    assert.equal(all.length, 500);
    assert.deepEqual(statements, []);
  });

  it("refuse a turn that would store more than its kind does, with how much that is", async () => {
    await within(shelf().add("x".repeat(900)));
    await assert.rejects(within(shelf().add("y".repeat(300))), (error: { code: string; details: unknown }) => {
      assert.equal(error.code, "state_too_large");
      const bytes = JSON.stringify({ books: ["x".repeat(900), "y".repeat(300)] }).length;
      assert.deepEqual(error.details, { bytes, most: 1000 });
      return true;
    });
    assert.equal((await within(shelf().books())).length, 1);
    assert.equal(await within(shelf().add("small")), 2);
  });

  it("let a state that is too large already shrink", async () => {
    await within(node.actors.drain());
    const wide = await start("wide", WideShelf);
    for (let at = 0; at < 3; at++) await within(shelf(wide).add("z".repeat(600)));
    await within(wide.actors.drain());
    const narrow = await start("narrow");
    await assert.rejects(within(shelf(narrow).add("more")), { code: "state_too_large" });
    await within(shelf(narrow).remove());
    assert.equal((await within(shelf(narrow).books())).length, 2);
  });
});
