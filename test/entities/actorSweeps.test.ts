import assert from "node:assert/strict";
import { ActorStore } from "../../src/actors/runtime/ActorStore.ts";
import type { ClaimedRow } from "../../src/actors/runtime/actorRow.ts";
import { Orphans } from "../../src/actors/runtime/Orphans.ts";
import { slotOf } from "../../src/actors/runtime/placement.ts";
import type { Database, Transaction } from "../../src/entities/sql.ts";
import { openDatabase } from "../support/database.ts";
import { migratedDatabaseUrl } from "../support/migratedDatabase.ts";
import { rowsRead } from "../support/rowsRead.ts";

const NOW = 1_800_000_000_000;

describe("sweeping (MariaDB)", function () {
  this.timeout(60_000);
  let database: Database;
  let lock: Transaction | undefined;

  beforeEach(async () => {
    database = await openDatabase({ kind: "mysql", url: await migratedDatabaseUrl(), pool: 8 });
  });

  afterEach(async () => {
    await lock?.rollback();
    lock = undefined;
    await database.close();
  });

  async function store(ids: readonly string[], owner: string | null, dueAt: (at: number) => number): Promise<void> {
    const rows = ids.map((id, at) => ["counter", id, owner, 1, 0, "{}", "[]", dueAt(at), 0, 0, 0]);
    const columns = "kind, id, owner, epoch, version, state, timers, due_at, crashes, created_at, updated_at";
    for (let at = 0; at < rows.length; at += 1000) {
      const page = rows.slice(at, at + 1000);
      const values = page.map((row) => `(${row.map(() => "?").join(", ")})`).join(", ");
      await database.write(`INSERT INTO actors (${columns}) VALUES ${values}`, page.flat());
    }
  }

  /** Locks an actor's row as a turn with its transaction open does. */
  async function lockRow(id: string): Promise<void> {
    lock = await database.of("turns").begin();
    await lock.write("UPDATE actors SET version = version + 1 WHERE kind = 'counter' AND id = ?", [id]);
  }

  const rowOf = (id: string): ClaimedRow => ({
    ...{ kind: "counter", id, epoch: 1, version: 0, state: "{}", stateVersion: 1, timers: [], crashes: 0 },
  });
  const owned = async (owner: string | null): Promise<string[]> => {
    const rows = await database.query<{ id: string }>("SELECT id FROM actors WHERE owner <=> ? ORDER BY id", [owner]);
    return rows.map(({ id }) => id);
  };

  it("releases all but what is locked, which it names, without waiting", async () => {
    await store(["a", "b", "c", "other"], "me", () => NOW);
    await database.write("UPDATE actors SET epoch = 2 WHERE id = 'c'");
    await lockRow("b");
    const left = await new ActorStore(database, "me").release(["a", "b", "c"].map(rowOf));
    assert.deepEqual(
      left.map(({ id }) => id),
      ["b"],
    );
    assert.deepEqual([await owned(null), await owned("me")], [["a"], ["b", "c", "other"]]);
  });

  it("adopts and frees all but what is locked, without waiting", async () => {
    await store(["a", "b", "c"], "dead", () => NOW);
    await lockRow("b");
    const orphans = new Orphans(database, "me", { hasDied: () => true, judge: async () => {}, knows: () => true });
    const adopted = await orphans.adopt([rowOf("a"), rowOf("b")], "dead", NOW);
    assert.deepEqual(
      adopted.map(({ id }) => id),
      ["a"],
    );
    assert.equal(await orphans.freeFrom("dead", undefined, 100), 1);
    assert.deepEqual([await owned("me"), await owned(null), await owned("dead")], [["a"], ["c"], ["b"]]);
    assert.equal(await orphans.ownsAny("dead"), true);
  });

  it("gives rows that are made without a slot the same one as the runtime", async () => {
    await store(["a", "ünï", "🂡"], null, () => NOW);
    for (const { id, slot } of await database.query<{ id: string; slot: number }>("SELECT id, slot FROM actors"))
      assert.equal(Number(slot), slotOf(`counter/${id}`), id);
  });

  it("reads the entries of its slots that are due, and next to nothing of 20,000 others, page by page", async () => {
    const ids = Array.from({ length: 20_000 }, (_, at) => `a${at}`);
    await store(ids, null, (at) => (at < 500 ? NOW - at : NOW + 1_000_000 + at));
    await database.query("ANALYZE TABLE actors");
    const slots = Array.from({ length: 170 }, (_, at) => at * 3);
    const expected = ids.slice(0, 500).filter((id) => slots.includes(slotOf(`counter/${id}`)));
    const found: string[] = [];
    const rows = await rowsRead(database, async (within) => {
      const orphans = new Orphans(within, "me", { hasDied: () => true, judge: async () => {}, knows: () => true });
      for (let after = undefined; ; ) {
        const page = await orphans.dueOf(null, { slots, dueBy: NOW, after, limit: 50 });
        found.push(...page.map(({ id }) => id));
        if (page.length < 50) return;
        after = page.at(-1) as never;
      }
    });
    assert.deepEqual(found.toSorted(), expected.toSorted());
    assert.ok(rows < 2000, `${rows} rows were read for ${expected.length}`);
  });

  it("asks who owns anything at the price of the owners, however many actors there are", async () => {
    const ids = Array.from({ length: 20_000 }, (_, at) => `a${at}`);
    await store(ids, "x", () => NOW);
    await database.write("UPDATE actors SET owner = CONCAT('n', CRC32(id) MOD 5) WHERE CRC32(id) MOD 7 > 0");
    await database.query("ANALYZE TABLE actors");
    let owners: string[] = [];
    const rows = await rowsRead(database, async (within) => {
      owners = await new Orphans(within, "me", {
        hasDied: () => true,
        judge: async () => {},
        knows: () => true,
      }).owners();
    });
    assert.deepEqual(owners.toSorted(), ["n0", "n1", "n2", "n3", "n4", "x"]);
    assert.ok(rows < 200, `${rows} rows were read`);
  });
});
