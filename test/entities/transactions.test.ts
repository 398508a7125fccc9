import assert from "node:assert/strict";
import type { Database } from "../../src/entities/sql.ts";
import { openDatabase } from "../support/database.ts";
import { migratedDatabaseUrl } from "../support/migratedDatabase.ts";

const DIALECTS = {
  SQLite: () => openDatabase({ kind: "sqlite", path: ":memory:" }),
  MariaDB: async () => openDatabase({ kind: "mysql", url: await migratedDatabaseUrl(), pool: 8 }),
};

for (const [dialect, open] of Object.entries(DIALECTS)) {
  describe(`a transaction that is over (${dialect})`, function () {
    this.timeout(60_000);
    let database: Database;

    beforeEach(async () => {
      database = await open();
      await database.write("CREATE TABLE notes (text VARCHAR(16) NOT NULL)");
    });
    afterEach(() => database.close());

    const notes = async (): Promise<string[]> =>
      (await database.query<{ text: string }>("SELECT text FROM notes ORDER BY text")).map(({ text }) => text);

    it("takes no statement from the moment on at which it is to be undone, though another one is under way", async () => {
      const tx = await database.begin();
      await tx.write("INSERT INTO notes VALUES ('before')");
      const slow = tx.query(dialect === "MariaDB" ? "SELECT SLEEP(0.3)" : "SELECT 1");
      const late = slow.then(() => tx.write("INSERT INTO notes VALUES ('late')"));
      const refused = assert.rejects(late, /the transaction is over/);
      await tx.rollback();
      await refused;
      assert.deepEqual(await notes(), []);
    });

    it("takes none from the moment on at which it is to be committed", async () => {
      const tx = await database.begin();
      await tx.write("INSERT INTO notes VALUES ('before')");
      const committed = tx.commit();
      await assert.rejects(tx.write("INSERT INTO notes VALUES ('late')"), /the transaction is over/);
      await committed;
      assert.deepEqual(await notes(), ["before"]);
    });

    it("leaves alone what others do by then, whatever else is asked of it", async () => {
      const over = await database.begin();
      await over.rollback();
      const other = await database.begin();
      await other.write("INSERT INTO notes VALUES ('other')");
      await assert.rejects(over.write("INSERT INTO notes VALUES ('late')"), /the transaction is over/);
      await assert.rejects(over.commit(), /the transaction is over/);
      assert.throws(() => over.manager, /the transaction is over/);
      await over.rollback();
      await other.commit();
      const third = await database.begin();
      await third.commit();
      assert.deepEqual(await notes(), ["other"]);
    });
  });
}
