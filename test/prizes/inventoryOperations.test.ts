import assert from "node:assert/strict";
import { InventoryOperations } from "../../src/actors/prizes/InventoryOperations.ts";
import { systemRng } from "../../src/clock.ts";
import { PrizeLedger } from "../../src/entities/prizes/PrizeLedger.ts";
import { LARGEST_HOLDING } from "../../src/entities/prizes/refusedAwards.ts";
import type { Database } from "../../src/entities/sql.ts";
import { openDatabase } from "../support/database.ts";
import { migratedDatabaseUrl } from "../support/migratedDatabase.ts";

const DATABASES = {
  SQLite: () => openDatabase({ kind: "sqlite", path: ":memory:" }),
  MariaDB: async () => openDatabase({ kind: "mysql", url: await migratedDatabaseUrl(), pool: 32 }),
};

for (const [name, open] of Object.entries(DATABASES)) {
  describe(`what operators do to inventories (${name})`, () => {
    let database: Database;
    let operations: InventoryOperations;
    let now = 0;

    before(async function () {
      this.timeout(120_000);
      database = await open();
      operations = new InventoryOperations({ database, rng: systemRng, clock: { now: () => ++now } });
      await database.write("INSERT INTO players (id, name, created_at) VALUES ('ada', 'Ada', 1), ('bob', 'Bob', 1)");
    });
    beforeEach(async () => {
      for (const table of ["awards", "inventories", "inventory_changes", "refused_awards"])
        await database.write(`DELETE FROM ${table}`);
    });
    after(() => database?.close());

    const order = (amount: string, playerId = "ada", item = "TICO") => ({ playerId, item, amount, reason: "a mend" });
    const call = (requestId?: string) => ({ operatorId: "op", requestId });
    const held = async (playerId = "ada") => (await operations.get(playerId, 10)).items;
    const assertBalanced = async () => assert.deepEqual(await new PrizeLedger(database, systemRng).imbalances(), []);

    it("is in the ledger and in the history, with who did it and why", async () => {
      const granted = await operations.change("grant", order("10"), call());
      const taken = await operations.change("take", order("3"), call());
      const redeemed = await operations.change("redeem", order("7"), call());
      const { items, changes } = await operations.get("ada", 10);
      assert.deepEqual(items, []);
      assert.deepEqual(changes, [redeemed, taken, granted]);
      const { id, changedAt } = granted;
      assert.deepEqual(granted, { ...order("10"), id, kind: "grant", operatorId: "op", changedAt });
      const awards = await database.query<{ amount: unknown }>("SELECT amount FROM awards ORDER BY awarded_at");
      assert.deepEqual(
        awards.map(({ amount }) => Number(amount)),
        [10, -3, -7],
      );
      await assertBalanced();
    });

    it("happens once for its request id, also when it is asked for twice at once", async () => {
      const first = await operations.change("grant", order("10"), call("k"));
      assert.deepEqual(await operations.change("grant", order("99"), call("k")), first);
      const both = await Promise.all([1, 2].map(() => operations.change("take", order("4"), call("l"))));
      assert.deepEqual(both[0], both[1]);
      assert.deepEqual(await held(), [{ item: "TICO", amount: "6" }]);
      await assertBalanced();
    });

    it("takes no more than there is, of many who try at once either", async () => {
      await operations.change("grant", order("10"), call());
      await assert.rejects(operations.change("take", order("11"), call()), {
        code: "conflict",
        details: { held: "10" },
      });
      await assert.rejects(operations.change("redeem", order("1", "bob"), call()), {
        code: "conflict",
        details: { held: "0" },
      });
      const tries = await Promise.allSettled(
        Array.from({ length: 5 }, () => operations.change("redeem", order("4"), call())),
      );
      assert.equal(tries.filter(({ status }) => status === "fulfilled").length, 2);
      assert.deepEqual(await held(), [{ item: "TICO", amount: "2" }]);
      assert.equal((await operations.get("ada", 10)).changes.length, 3);
      await assertBalanced();
    });

    it("is refused for an unknown player or item, and for more than can be held, and leaves nothing", async () => {
      await assert.rejects(operations.change("grant", order("1", "nobody"), call()), { code: "not_found" });
      await assert.rejects(operations.change("grant", order("1", "ada", "GOLD"), call()), { code: "not_found" });
      await database.write(
        `INSERT INTO inventories (player_id, item, amount) VALUES ('bob', 'TICO', ${LARGEST_HOLDING})`,
      );
      await assert.rejects(operations.change("grant", order("1", "bob"), call()), { code: "inventory_full" });
      for (const table of ["inventory_changes", "awards", "refused_awards"])
        assert.deepEqual(await database.query(`SELECT 1 FROM ${table}`), []);
      assert.deepEqual(await operations.refused(10), []);
    });
  });
}
