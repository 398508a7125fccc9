import assert from "node:assert/strict";
import { DataSource, type DataSourceOptions } from "typeorm";
import { slotOf } from "../../src/actors/runtime/placement.ts";
import { MIGRATIONS } from "../support/database.ts";
import { freshDatabaseUrl } from "../support/servers.ts";

/** The last migration of the first version. */
const FIRST_VERSION = "TournamentIndexes20261121001000";
const firstOnes = MIGRATIONS.slice(0, MIGRATIONS.findIndex(({ name }) => name === FIRST_VERSION) + 1);

const RUNS = Array.from({ length: 3 }, (_, at) => ({
  ...{ job: "weeklyDraw", scheduled_at: 1000 + at, node: "n", epoch: 2, attempt: at, given_up: null, started_at: 1001 },
  ...{
    finished_at: 1002,
    lateness_ms: 1,
    outcome: "succeeded",
    error: null,
    result: '{"a":1}',
    progress: null,
    by_hand: 0,
  },
}));
/** More than are given their slots at once. */
const ACTORS = Array.from({ length: 1100 }, (_, at) => ({
  ...{ kind: "hunt", id: `h${at}`, owner: at % 2 === 0 ? "n" : null, epoch: 3, version: at, state: "{}", timers: "[]" },
  ...{ due_at: at % 3 === 0 ? 5000 : null, crashes: 1, created_at: 1, updated_at: 2 },
}));

const DIALECTS: Record<string, () => Promise<DataSourceOptions>> = {
  SQLite: async () => ({ type: "better-sqlite3", database: ":memory:" }),
  MariaDB: async () => ({ type: "mysql", url: await freshDatabaseUrl() }),
};

for (const [dialect, optionsOf] of Object.entries(DIALECTS)) {
  describe(`migrations of a database that is in use (${dialect})`, function () {
    this.timeout(120_000);
    let source: DataSource;

    afterEach(() => source?.destroy());

    async function insert(table: string, rows: readonly Record<string, unknown>[]): Promise<void> {
      const columns = Object.keys(rows[0]!);
      const one = `(${columns.map(() => "?").join(", ")})`;
      for (let at = 0; at < rows.length; at += 500) {
        const page = rows.slice(at, at + 500);
        await source.query(
          `INSERT INTO ${table} (${columns.join(", ")}) VALUES ${page.map(() => one).join(", ")}`,
          page.flatMap((row) => columns.map((column) => row[column])),
        );
      }
    }

    /** The rows of a table as they were inserted, whatever columns came later. */
    async function rowsLike(row: Record<string, unknown>, table: string, order: string): Promise<unknown[]> {
      const found = await source.query(`SELECT ${Object.keys(row).join(", ")} FROM ${table} ORDER BY ${order}`);
      return found.map((one: Record<string, unknown>) =>
        Object.fromEntries(
          Object.entries(one).map(([column, value]) => [
            column,
            value !== null && typeof row[column] === "number" ? Number(value) : value,
          ]),
        ),
      );
    }

    it("keep all rows of the first version, go back with them, and come again", async () => {
      source = await new DataSource({
        ...(await optionsOf()),
        migrations: [...firstOnes],
      } as DataSourceOptions).initialize();
      await source.runMigrations({ transaction: "each" });
      await insert("job_runs", RUNS);
      await insert("actors", ACTORS);
      const later = MIGRATIONS.slice(firstOnes.length).map((Type) => new Type());
      const runner = source.createQueryRunner();
      const assertKept = async (): Promise<void> => {
        assert.deepEqual(await rowsLike(RUNS[0]!, "job_runs", "scheduled_at"), RUNS);
        assert.deepEqual(await rowsLike(ACTORS[0]!, "actors", "version"), ACTORS);
      };

      for (let round = 0; round < 2; round += 1) {
        for (const migration of later) await migration.up(runner);
        await assertKept();
        const slots = await source.query("SELECT kind, id, slot FROM actors");
        for (const { kind, id, slot } of slots) assert.equal(Number(slot), slotOf(`${kind}/${id}`));
        // A run of a task beside one of a job, which a version that knows no tasks cannot keep.
        await insert("job_runs", [{ ...RUNS[0]!, task: "t" }]);
        for (const migration of later.toReversed()) await migration.down(runner);
        await assertKept();
      }
      await runner.release();
    });
  });
}
