import assert from "node:assert/strict";
import type { Actor, ActorType } from "../../src/actors/runtime/Actor.ts";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import type { Database } from "../../src/entities/sql.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import { openDatabase } from "../support/database.ts";
import { hearing } from "../support/hearing.ts";
import { CounterActor, EFFECTS_TABLE, kindOf, ManualClock, SimulatedNode } from "./simulation.ts";

class Herald extends CounterActor {
  static override readonly kind: string = "herald";

  async herald(word: string): Promise<void> {
    this.publish("news", { type: "said", data: word });
  }
}

describe("the events of an actor whose row has other versions than before (simulated cluster)", () => {
  let database: Database;
  let clock: ManualClock;
  let hub: MemoryHub;
  let feed: MemoryFeed;
  let news: unknown[];

  beforeEach(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    await database.write(EFFECTS_TABLE);
    clock = new ManualClock();
    hub = new MemoryHub();
    feed = new MemoryFeed(clock);
    news = [];
    await feed.follow(
      "news",
      hearing(({ data }) => news.push(data)),
    );
  });
  afterEach(() => database.close());

  async function start(id: string): Promise<SimulatedNode> {
    const kinds = [kindOf(Herald as unknown as ActorType<Actor<unknown>>)];
    const node = new SimulatedNode({ id, hub, database, clock, feed }, kinds, { idleMs: 1e12 });
    await node.actors.start();
    await clock.advance(600);
    return node;
  }

  async function announce(node: SimulatedNode, ...words: string[]): Promise<void> {
    for (const word of words) await clock.within(5000, node.actors.ref(Herald, "h").herald(word), 50);
    await clock.advance(1000);
  }

  it("are all published after it was made again", async () => {
    const a = await start("a");
    await announce(a, "one", "two");
    await a.crash();
    await database.write("DELETE FROM actors WHERE kind = 'herald'");
    await clock.advance(120_000);
    await announce(await start("b"), "made again", "and on");
    assert.deepEqual(news, ["one", "two", "made again", "and on"]);
  });

  it("are all published after the database has come back some turns older", async () => {
    const a = await start("a");
    await announce(a, "one");
    const [row] = await database.query<{ version: number; state: string }>("SELECT version, state FROM actors");
    await announce(a, "two", "three");
    await a.crash();
    await database.write("UPDATE actors SET version = ?, state = ?", [row!.version, row!.state]);
    await clock.advance(60_000);
    await announce(await start("b"), "four", "five");
    assert.deepEqual(news, ["one", "two", "three", "four", "five"]);
  });
});
