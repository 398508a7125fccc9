import assert from "node:assert/strict";
import { createConnection, type RowDataPacket } from "mysql2/promise";
import { openDatabase as open } from "../../src/entities/database.ts";
import { openDatabase, SCHEMA } from "./database.ts";
import { migratedDatabaseUrl } from "./migratedDatabase.ts";
import { freshDatabaseUrl } from "./servers.ts";

/** The next number that a table gives, of which a transaction that came to nothing may have used some. */
const NEXT_NUMBER = /AUTO_INCREMENT=\d+ /;

describe("a copy of a migrated database", function () {
  this.timeout(120_000);

  it("has what migrations make and put in, in memory", async () => {
    const [copy, again, migrated] = await Promise.all([
      openDatabase({ kind: "sqlite", path: ":memory:" }),
      openDatabase({ kind: "sqlite", path: ":memory:" }),
      open({ kind: "sqlite", path: ":memory:" }, SCHEMA),
    ]);
    try {
      const list = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name";
      const made = await migrated.query<{ type: string; name: string }>(list);
      assert.deepEqual(await copy.query(list), made);
      for (const { name } of made.filter(({ type }) => type === "table"))
        assert.deepEqual(
          await copy.query(`SELECT * FROM ${name}`),
          await migrated.query(`SELECT * FROM ${name}`),
          name,
        );
      await copy.write("DELETE FROM games");
      assert.ok((await again.query("SELECT 1 FROM games")).length > 0, "each copy is its own");
    } finally {
      for (const database of [copy, again, migrated]) await database.close();
    }
  });

  it("has what migrations make and put in, on a server", async () => {
    const [copied, migrated] = await Promise.all([migratedDatabaseUrl(), freshDatabaseUrl()]);
    await (await openDatabase({ kind: "mysql", url: migrated, pool: 5 })).close();
    assert.deepEqual(await contentsOf(copied), await contentsOf(migrated));
  });
});

async function contentsOf(url: string): Promise<Map<string, unknown>> {
  const connection = await createConnection({ uri: url });
  const contents = new Map<string, unknown>();
  try {
    const [tables] = await connection.query<RowDataPacket[]>("SHOW TABLES");
    for (const name of tables.map((row) => Object.values(row)[0] as string)) {
      const [[made]] = await connection.query<RowDataPacket[]>(`SHOW CREATE TABLE ${name}`);
      const [rows] = await connection.query<RowDataPacket[]>(`SELECT * FROM ${name}`);
      contents.set(name, [(made as { "Create Table": string })["Create Table"].replace(NEXT_NUMBER, ""), rows]);
    }
  } finally {
    await connection.end();
  }
  assert.ok(contents.size > 40);
  return contents;
}
