import assert from "node:assert/strict";
import { insertNew } from "../../src/entities/insertNew.ts";
import type { Database, Value } from "../../src/entities/sql.ts";
import { openDatabase } from "../support/database.ts";
import { migratedDatabaseUrl } from "../support/migratedDatabase.ts";

const INTO = { table: "kept", columns: ["id", "n"] };

for (const { name, open } of [
  { name: "SQLite", open: () => openDatabase({ kind: "sqlite", path: ":memory:" }) },
  { name: "MariaDB", open: async () => openDatabase({ kind: "mysql", url: await migratedDatabaseUrl(), pool: 5 }) },
]) {
  describe(`inserting what is new on ${name}`, () => {
    let database: Database;

    before(async () => {
      database = await open();
      await database.write("CREATE TABLE kept (id VARCHAR(4) NOT NULL PRIMARY KEY, n INT NOT NULL)");
    });
    after(() => database.close());
    beforeEach(() => database.write("DELETE FROM kept"));

    const insert = (...rows: Value[][]): Promise<number> => database.transaction((tx) => insertNew(tx, INTO, rows));
    const kept = async (): Promise<unknown[]> =>
      (await database.query<{ id: string; n: number }>("SELECT id, n FROM kept ORDER BY id")).map(({ id, n }) => [
        id,
        n,
      ]);

    it("leaves out what is there, and says how many were not", async () => {
      assert.equal(await insert(["a", 1]), 1);
      assert.equal(await insert(["a", 2]), 0);
      assert.equal(await insert(["a", 3], ["b", 3], ["b", 4], ["c", 3]), 2);
      assert.equal(await insert(), 0);
      assert.deepEqual(await kept(), [
        ["a", 1],
        ["b", 3],
        ["c", 3],
      ]);
    });

    it("stores nothing in place of what is missing", async () => {
      await insert(["a", 1]);
      await assert.rejects(insert(["b", null]));
      await assert.rejects(insert(["a", 1], ["b", null], ["c", 1]));
      assert.deepEqual(await kept(), [["a", 1]]);
    });

    if (name === "MariaDB") {
      it("cuts nothing", async () => {
        await assert.rejects(insert(["too long", 1]), { code: "ER_DATA_TOO_LONG" });
        await assert.rejects(insert(["a", 10 ** 12]), { code: "ER_WARN_DATA_OUT_OF_RANGE" });
        await assert.rejects(insert(["a", 1], ["too long", 1]), /1 warnings: some were changed/);
        await assert.rejects(insert(["a", 1], ["abcd", 1], ["abcde", 1]), /some were changed/);
        assert.deepEqual(await kept(), []);
      });
    }
  });
}
