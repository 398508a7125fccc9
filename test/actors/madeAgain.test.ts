import assert from "node:assert/strict";
import type { Actor, ActorType } from "../../src/actors/runtime/Actor.ts";
import { ActorStore } from "../../src/actors/runtime/ActorStore.ts";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import type { Database } from "../../src/entities/sql.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import { openDatabase } from "../support/database.ts";
import { hearing } from "../support/hearing.ts";
import { migratedDatabaseUrl } from "../support/migratedDatabase.ts";
import { makeActor } from "./madeActor.ts";
import { CounterActor, kindOf, ManualClock, SimulatedNode } from "./simulation.ts";

const ADDRESS = { kind: "herald", id: "h" };

class Herald extends CounterActor {
  static override readonly kind: string = "herald";

  async herald(word: string): Promise<void> {
    this.publish("news", { type: "said", data: word });
  }
}

for (const kind of ["sqlite", "mysql"] as const)
  describe(`the versions of a row that is made again (${kind})`, () => {
    let database: Database;
    let store: ActorStore;

    before(async () => {
      const config =
        kind === "sqlite" ? { kind, path: ":memory:" } : { kind, url: await migratedDatabaseUrl(), pool: 5 };
      database = await openDatabase(config);
      store = new ActorStore(database, "n");
    });
    beforeEach(() => database.write("DELETE FROM actors"));
    after(() => database.close());

    const turns = (count: number): Promise<unknown> =>
      database.write("UPDATE actors SET version = version + ? WHERE kind = ? AND id = ?", [count, "herald", "h"]);

    async function version(): Promise<number> {
      const [row] = await database.query<{ version: number }>("SELECT version FROM actors WHERE id = 'h'");
      return Number(row!.version);
    }

    it("are those that its maker knows", async () => {
      const made = await makeActor(store, database, ADDRESS);
      assert.equal(made.version, await version());
    });

    it("lie above all that it had, however soon that is, and whatever the node's clock shows", async () => {
      const first = await makeActor(store, database, ADDRESS, 5_000_000_000_000);
      await turns(1);
      await database.write("DELETE FROM actors");
      const again = await makeActor(store, database, ADDRESS);
      assert.ok(again.version > first.version + 1, `${again.version} after ${first.version}`);
    });

    it("lie above those of a row that is made and deleted while another node is about to make it", async () => {
      const other = new ActorStore(database, "other");
      let between = 0;
      const late = meanwhile(database, "INSERT INTO actors", async () => {
        await makeActor(other, database, ADDRESS);
        await turns(1);
        between = await version();
        await database.write("DELETE FROM actors");
      });
      const made = await makeActor(new ActorStore(late, "n"), late, ADDRESS);
      assert.ok(made.version > between && between > 0, `${made.version} after ${between}`);
    });

    it("go on above all that it had where a database that has gone back counts lower", async () => {
      await makeActor(store, database, ADDRESS);
      const before = await version();
      await turns(3);
      const latest = await version();
      await database.write("UPDATE actors SET version = ?, owner = NULL", [before]);
      const claimed = await store.claim((await store.find(ADDRESS))!, false, 0);
      assert.ok(claimed!.version > latest, `${claimed!.version} after ${latest}`);
      assert.equal(claimed!.version, await version());
    });

    it("stay what they are where they lie ahead of the database's time", async () => {
      await makeActor(store, database, ADDRESS);
      await database.write("UPDATE actors SET version = 8000000000000000");
      const claimed = await store.claim((await store.find(ADDRESS))!, false, 0);
      assert.deepEqual([claimed?.version, await version()], [8_000_000_000_000_000, 8_000_000_000_000_000]);
    });
  });

/** The database as it is for who is slow: before the first statement that begins so, `work` is done. */
function meanwhile(database: Database, beginning: string, work: () => Promise<void>): Database {
  let isDone = false;
  const slow: Database = Object.create(database, {
    of: { value: () => slow },
    query: { value: (sql: string, params?: unknown[]) => database.query(sql, params) },
    write: {
      value: async (sql: string, params?: unknown[]) => {
        if (sql.startsWith(beginning) && !isDone) {
          isDone = true;
          await work();
        }
        return database.write(sql, params);
      },
    },
  });
  return slow;
}

describe("the events of a row that is made again (simulated cluster)", () => {
  let database: Database;
  let clock: ManualClock;
  let hub: MemoryHub;
  let feed: MemoryFeed;
  let news: unknown[];

  beforeEach(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
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

  async function start(id: string, wallOffset = 0): Promise<SimulatedNode> {
    const kinds = [kindOf(Herald as unknown as ActorType<Actor<unknown>>)];
    const node = new SimulatedNode({ id, hub, database, clock, feed }, kinds, { idleMs: 1e12 });
    node.wallOffset = wallOffset;
    await node.actors.start();
    await clock.advance(600);
    return node;
  }

  it("are all published where the node that makes it has a clock that is behind", async () => {
    const [a, b] = [await start("a"), await start("b", -1900)];
    await clock.within(1000, a.actors.ref(Herald, "h").herald("one"));
    await clock.advance(10);
    await a.crash();
    await database.write("DELETE FROM actors WHERE kind = 'herald'");
    await clock.within(1000, b.actors.ref(Herald, "h").herald("made again"));
    await clock.within(1000, b.actors.ref(Herald, "h").herald("and on"));
    await clock.advance(100);
    assert.deepEqual(news, ["one", "made again", "and on"]);
  });
});
