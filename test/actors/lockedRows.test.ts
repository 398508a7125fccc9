import assert from "node:assert/strict";
import { ActorStore } from "../../src/actors/runtime/ActorStore.ts";
import { Orphans } from "../../src/actors/runtime/Orphans.ts";
import { OutboxEvents } from "../../src/actors/runtime/OutboxEvents.ts";
import type { Database, Transaction } from "../../src/entities/sql.ts";
import { openDatabase } from "../support/database.ts";
import { type DatabaseServer, startMariaDb } from "../support/servers.ts";
import { makeActor } from "./madeActor.ts";

const ADDRESS = { kind: "k", id: "a" };
const NOW = 1000;

describe("rows that somebody has locked", function () {
  this.timeout(60_000);
  let server: DatabaseServer;
  let database: Database;
  let somebody: Transaction;

  before(async () => {
    server = await startMariaDb({ inMemory: true, flushLogAtCommit: 2 });
  });

  beforeEach(async () => {
    database = await openDatabase({ kind: "mysql", url: await server.createDatabase(), pool: 8 });
  });

  afterEach(async () => {
    await somebody?.rollback();
    await database.close();
  });

  after(() => server?.stop());

  it("keep nobody who claims the actor waiting, who may have it once they are free", async () => {
    const store = new ActorStore(database, "n");
    await makeActor(store, database, ADDRESS, NOW);
    const seen = (await store.find(ADDRESS))!;
    somebody = await database.begin();
    await somebody.write("UPDATE actors SET updated_at = 1 WHERE kind = 'k' AND id = 'a'");

    assert.equal(await store.claim(seen, false, NOW), undefined);
    await somebody.rollback();
    const claimed = await store.claim(seen, false, NOW);
    assert.deepEqual([claimed?.epoch, (await store.find(ADDRESS))?.epoch], [2, 2]);
    assert.equal(await store.claim(seen, false, NOW), undefined, "a claim of what it was before");
  });

  it("keep nobody from adopting the others", async () => {
    const dead = new ActorStore(database, "dead");
    for (const id of ["a", "b", "c"]) await makeActor(dead, database, { kind: "k", id }, NOW);
    somebody = await database.begin();
    await somebody.write("UPDATE actors SET updated_at = 1 WHERE kind = 'k' AND id = 'b'");

    const orphans = new Orphans(database, "n", { hasDied: () => false, judge: async () => {}, knows: () => true });
    const addresses = ["a", "b", "c"].map((id) => ({ kind: "k", id }));
    const ids = (rows: readonly { id: string }[]): string[] => rows.map(({ id }) => id).sort();
    assert.deepEqual(ids(await orphans.adopt(addresses, "dead", NOW)), ["a", "c"]);
    await somebody.rollback();
    assert.deepEqual(ids(await orphans.adopt(addresses, "dead", NOW)), ["b"]);
  });

  it("keep nobody from freeing the others", async () => {
    const dead = new ActorStore(database, "dead");
    for (const id of ["a", "b", "c"]) await makeActor(dead, database, { kind: "k", id }, NOW);
    somebody = await database.begin();
    await somebody.write("UPDATE actors SET updated_at = 1 WHERE kind = 'k' AND id = 'b'");

    const orphans = new Orphans(database, "n", { hasDied: () => false, judge: async () => {}, knows: () => true });
    assert.equal(await orphans.freeFrom("dead", undefined, 100), 2);
    await somebody.rollback();
    assert.equal(await orphans.freeFrom("dead", undefined, 100), 1);
  });

  it("keep nobody from taking over what else a dead node has to deliver", async () => {
    for (const version of [1, 2, 3])
      await database.write(
        "INSERT INTO actor_events (kind, id, version, idx, owner, message) VALUES (?, ?, ?, 0, ?, ?)",
        [...["k", "a", version, "dead", "{}"]],
      );
    somebody = await database.begin();
    await somebody.write("UPDATE actor_events SET message = '[]' WHERE version = 2");

    const events = new OutboxEvents(database.of("control"), "n");
    assert.equal(await events.adopt("dead"), "some");
    await somebody.rollback();
    const rows = await database.query<{ version: number; owner: string }>(
      "SELECT version, owner FROM actor_events ORDER BY version",
    );
    assert.deepEqual(
      rows.map(({ version, owner }) => [Number(version), owner]),
      [
        [1, "n"],
        [2, "dead"],
        [3, "n"],
      ],
    );
    assert.equal(await events.adopt("dead"), "some");
    assert.equal(await events.adopt("dead"), "none");
  });
});
