import assert from "node:assert/strict";
import { Actor, type ActorType, type TimerHandlers } from "../../src/actors/runtime/Actor.ts";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import type { Database } from "../../src/entities/sql.ts";
import { RingmasterError } from "../../src/errors.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import { openDatabase } from "../support/database.ts";
import { hearing } from "../support/hearing.ts";
import { kindOf, ManualClock, SimulatedNode } from "./simulation.ts";

/** An account that can be opened, used and closed. */
class AccountActor extends Actor<{ balance: number }> {
  static readonly kind = "account";
  static initial(): { balance: number } {
    return { balance: 0 };
  }
  readonly timers: TimerHandlers = {
    interest: async () => {
      this.state.balance += 1;
    },
  };

  async deposit(amount: number): Promise<number> {
    if (this.isNew) this.every("interest", 10_000);
    this.state.balance += amount;
    return this.state.balance;
  }

  async balance(): Promise<number> {
    return this.state.balance;
  }

  async refuse(): Promise<void> {
    this.state.balance = -1;
    throw new RingmasterError("not_found", "There is no such account.");
  }

  async sqlThenRefuse(): Promise<void> {
    await this.sql();
    throw new RingmasterError("not_found", "There is no such account.");
  }

  async close(): Promise<number> {
    const { balance } = this.state;
    this.publish("accounts", { type: "closed", data: { id: this.id, balance } });
    this.destroy();
    return balance;
  }

  async closeThenThrow(): Promise<void> {
    this.destroy();
    throw new Error("as asked");
  }

  async moveTo(id: string): Promise<void> {
    this.send(AccountActor, id).deposit(this.state.balance);
    this.destroy();
  }
}

describe("the end of an actor (simulated cluster)", () => {
  let database: Database;
  let clock: ManualClock;
  let nodes: SimulatedNode[];
  let news: unknown[];

  beforeEach(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    clock = new ManualClock();
    const parts = { hub: new MemoryHub(), database, clock, feed: new MemoryFeed(clock) };
    news = [];
    await parts.feed.follow(
      "accounts",
      hearing(({ data }) => news.push(data)),
    );
    const kinds = [kindOf(AccountActor as unknown as ActorType<Actor<unknown>>)];
    nodes = ["a", "b"].map((id) => new SimulatedNode({ ...parts, id }, kinds));
    for (const node of nodes) await node.actors.start();
    await clock.advance(1000);
  });
  afterEach(() => database.close());

  const within = <T>(call: Promise<T>): Promise<T> => clock.within(20_000, call, 50);
  const account = (id = "x", options = {}, at = 0) => nodes[at]!.actors.ref(AccountActor, id, options);
  const rows = () => database.query<{ id: string; version: number; due_at: number | null }>("SELECT * FROM actors");
  const exists = (id = "x") => within(nodes[1]!.actors.exists(AccountActor, id));

  it("takes its row and its timers, and the next call makes it anew, above all versions that it had", async () => {
    await within(account().deposit(5));
    assert.equal(await exists(), true);
    const [before] = await rows();
    assert.equal(await within(account().close()), 5);
    assert.deepEqual([await exists(), await rows()], [false, []]);
    await clock.advance(30_000);
    assert.deepEqual(await rows(), []);
    assert.equal(await within(account("x", {}, 1).deposit(2)), 2);
    const [again] = await rows();
    assert.ok(again!.version > before!.version + 1);
    await within(account().close());
    await clock.advance(1000);
    assert.deepEqual(news, [
      { id: "x", balance: 5 },
      { id: "x", balance: 2 },
    ]);
  });

  it("is undone where its turn throws", async () => {
    await within(account().deposit(5));
    await assert.rejects(within(account().closeThenThrow()), { code: "internal" });
    assert.equal(await within(account().balance()), 5);
  });

  it("is answered once more where its call is repeated, which makes nothing", async () => {
    await within(account("x", { requestId: "d" }).deposit(5));
    assert.equal(await within(account("x", { requestId: "c" }).close()), 5);
    assert.equal(await within(account("x", { requestId: "c" }, 1).close()), 5);
    assert.deepEqual(await rows(), []);
    // The answers to requests before the end went with it.
    assert.equal(await within(account("x", { requestId: "d" }).deposit(1)), 1);
  });

  it("delivers what the last turn sends", async () => {
    await within(account().deposit(7));
    await within(account().moveTo("y"));
    await clock.advance(1000);
    assert.equal(await within(account("y").balance()), 7);
    assert.equal(await exists(), false);
  });

  it("has calls that wait for it make it anew, in their order", async () => {
    await within(account().deposit(5));
    const owner = nodes.findIndex(({ actors }) => actors.residents === 1);
    const here = account("x", {}, owner);
    assert.deepEqual(await within(Promise.all([here.close(), here.deposit(1), here.deposit(1)])), [5, 1, 2]);
    assert.equal(nodes[owner]!.actors.residents, 1);
  });

  it("is found by who repeats a call after its node died in the commit", async () => {
    await within(account().deposit(5));
    const owner = nodes.find(({ actors }) => actors.residents === 1)!;
    const other = nodes.find((node) => node !== owner)!;
    owner.life.onOperation = (when, statement) =>
      when === "after" && statement.startsWith("COMMIT") ? "crash" : undefined;
    const closed = account("x", { requestId: "c" }, nodes.indexOf(other)).close();
    assert.equal(await within(closed), 5);
    await clock.advance(1000);
    assert.deepEqual(await rows(), []);
    assert.deepEqual(news, [{ id: "x", balance: 5 }]);
  });
});

describe("an actor that nobody has made (simulated cluster)", () => {
  let database: Database;
  let clock: ManualClock;
  let nodes: SimulatedNode[];

  beforeEach(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    clock = new ManualClock();
    const parts = { hub: new MemoryHub(), database, clock, feed: new MemoryFeed(clock) };
    const kinds = [kindOf(AccountActor as unknown as ActorType<Actor<unknown>>)];
    nodes = ["a", "b"].map((id) => new SimulatedNode({ ...parts, id }, kinds));
    for (const node of nodes) await node.actors.start();
    await clock.advance(1000);
  });
  afterEach(() => database.close());

  const within = <T>(call: Promise<T>): Promise<T> => clock.within(20_000, call, 50);
  const rows = async () => (await database.query("SELECT * FROM actors")).length;

  it("leaves no row for a call that reads, refuses or fails, and stays in nobody's memory", async () => {
    const account = nodes[0]!.actors.ref(AccountActor, "none");
    assert.equal(await within(account.balance()), 0);
    await assert.rejects(within(account.refuse()), { code: "not_found" });
    await assert.rejects(within(account.sqlThenRefuse()), { code: "not_found" });
    assert.equal(await rows(), 0);
    for (const { actors } of nodes) assert.equal(actors.residents, 0);
    assert.equal(await within(account.balance()), 0);
  });

  it("leaves no row when it is destroyed", async () => {
    await within(nodes[0]!.actors.ref(AccountActor, "none").moveTo("other"));
    await clock.advance(1000);
    assert.equal(await within(nodes[1]!.actors.exists(AccountActor, "none")), false);
  });

  it("is made once by first calls from every node at once", async () => {
    const calls = nodes.flatMap(({ actors }) =>
      Array.from({ length: 20 }, () => actors.ref(AccountActor, "hot").deposit(1)),
    );
    const answers = await within(Promise.all(calls));
    assert.deepEqual(
      answers.sort((one, other) => one - other),
      Array.from({ length: 40 }, (_, at) => at + 1),
    );
    assert.equal(await rows(), 1);
  });

  it("is made once where the answer to its making is lost", async () => {
    const [a] = nodes;
    let lost = 0;
    for (const node of nodes)
      node.life.onOperation = (when, statement) => {
        if (when !== "after" || !statement.includes("INTO actors") || lost > 0) return undefined;
        lost += 1;
        return "lose connection";
      };
    const deposit = a!.actors.ref(AccountActor, "x", { requestId: "r" }).deposit(3);
    assert.equal(await within(deposit.catch(() => a!.actors.ref(AccountActor, "x", { requestId: "r" }).deposit(3))), 3);
    assert.equal(lost, 1);
    assert.equal(await within(a!.actors.ref(AccountActor, "x").balance()), 3);
  });
});
