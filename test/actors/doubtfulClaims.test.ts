import assert from "node:assert/strict";
import { ActorStore } from "../../src/actors/runtime/ActorStore.ts";
import type { ClaimedRow } from "../../src/actors/runtime/actorRow.ts";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import type { Database } from "../../src/entities/sql.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import { openDatabase } from "../support/database.ts";
import { makeActor } from "./madeActor.ts";
import { CounterActor, EFFECTS_TABLE, kindOf, ManualClock, SimulatedNode } from "./simulation.ts";

describe("a claim of an actor that failed (simulated cluster)", () => {
  let database: Database;
  let isDown: boolean;

  /** No connection is free while it is down: nothing is sent. */
  class FlakyStore extends ActorStore {
    override async claim(...args: Parameters<ActorStore["claim"]>): ReturnType<ActorStore["claim"]> {
      this.#require();
      return super.claim(...args);
    }

    override async release(rows: readonly ClaimedRow[]): Promise<ClaimedRow[]> {
      this.#require();
      return super.release(rows);
    }

    #require(): void {
      if (isDown) throw Object.assign(new Error("no connection was free"), { code: "POOL_TIMEOUT" });
    }
  }

  before(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    await database.write(EFFECTS_TABLE);
  });
  after(() => database.close());

  it("is released before the actor is claimed anew, so that nobody frees the one that then lives here", async () => {
    const clock = new ManualClock();
    const parts = { hub: new MemoryHub(), database, clock, feed: new MemoryFeed(clock) };
    const makeStore = (base: Database, id: string): ActorStore => new FlakyStore(base, id);
    const node = new SimulatedNode({ id: "a", ...parts }, [kindOf(CounterActor)], { makeStore });
    await node.actors.start();
    await clock.advance(600);
    await makeActor(new ActorStore(database, "left"), database, { kind: "counter", id: "x" });
    await database.write(`UPDATE actors SET owner = NULL, state = '{"count":0}' WHERE id = 'x'`);
    isDown = true;
    const counter = node.actors.ref(CounterActor, "x", { deadlineMs: 300 });
    await assert.rejects(clock.within(3000, counter.add(1)));
    isDown = false;
    const again = node.actors.ref(CounterActor, "x");
    assert.equal(await clock.within(3000, again.add(1)), 1);
    await clock.advance(3000);
    const [stored] = await database.query<{ owner: string | null }>("SELECT owner FROM actors WHERE id = 'x'");
    assert.equal(stored!.owner, "a");
    await node.crash();
  });
});
