import assert from "node:assert/strict";
import { CrashTable, type InRecord } from "../../src/actors/runtime/CrashTable.ts";
import type { Database } from "../../src/entities/sql.ts";
import { openDatabase } from "../support/database.ts";
import { migratedDatabaseUrl } from "../support/migratedDatabase.ts";
import { rowsRead } from "../support/rowsRead.ts";

const DATABASES = {
  SQLite: () => openDatabase({ kind: "sqlite", path: ":memory:" }),
  MariaDB: async () => openDatabase({ kind: "mysql", url: await migratedDatabaseUrl(), pool: 8 }),
};

for (const [name, open] of Object.entries(DATABASES)) {
  describe(`who is blamed for the deaths of nodes (${name})`, () => {
    let database: Database;

    beforeEach(async function () {
      this.timeout(120_000);
      database = await open();
    });
    afterEach(() => database.close());

    /** The node has died in the hands of these, each of which had just been let in. */
    async function dies(nodeId: string, ids: readonly string[]): Promise<readonly InRecord[]> {
      const table = new CrashTable(database, nodeId);
      await table.store(
        "life",
        ids.map((id) => ({ kind: "k", id, isFresh: true, ageMs: 7 })),
        1000,
      );
      return (await table.blame(nodeId, () => undefined, 2000)).named;
    }

    const blamedFor = async (times: number): Promise<string[]> =>
      (await new CrashTable(database, "peer").blamedFor(times, 16)).map(({ id }) => id).toSorted();

    it("finds those that are blamed for two deaths, and for three, also when an earlier one has turned out to be none", async () => {
      await dies("a", ["x", "y", "z"]);
      await dies("b", ["x", "y"]);
      assert.deepEqual(await blamedFor(2), ["x", "y"]);
      await new CrashTable(database, "a").forgive("life");
      assert.deepEqual(await blamedFor(2), []);
      await dies("c", ["x"]);
      assert.deepEqual(await blamedFor(2), ["x"]);
      await dies("d", ["x", "y"]);
      assert.deepEqual(await blamedFor(2), ["x", "y"]);
      assert.deepEqual(await blamedFor(3), ["x"]);
    });

    it("blames once for a death that is judged again", async () => {
      await dies("a", ["x"]);
      assert.deepEqual(await dies("a", ["x"]), [
        { kind: "k", id: "x", times: 1, ageMs: 7, spreadMs: 0, isFresh: true },
      ]);
    });

    if (name === "MariaDB")
      it("reads no blame of those that are blamed for less", async () => {
        const ids = Array.from({ length: 2000 }, (_, at) => `k${at}`);
        await dies("a", ids);
        await dies("b", ids.slice(0, 5));
        await database.query("ANALYZE TABLE actor_blame");
        const read = await rowsRead(database, async (within) => {
          assert.equal((await new CrashTable(within, "peer").blamedFor(2, 16)).length, 5);
        });
        assert.ok(read < 100, `${read} rows`);
      });
  });
}
