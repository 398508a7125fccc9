import assert from "node:assert/strict";
import { awaitCommits, bestOf } from "../../src/entities/pools/entries.ts";
import { newlyCancelled } from "../../src/entities/pools/rankingBook.ts";
import type { Database } from "../../src/entities/sql.ts";
import { type TournamentPhase, Tournaments } from "../../src/entities/tournaments/Tournament.ts";
import { openDatabase } from "../support/database.ts";
import { migratedDatabaseUrl } from "../support/migratedDatabase.ts";
import { rowsRead } from "../support/rowsRead.ts";

const DATABASES: Record<string, () => Promise<Database>> = {
  SQLite: () => openDatabase({ kind: "sqlite", path: ":memory:" }),
  MariaDB: async () => openDatabase({ kind: "mysql", url: await migratedDatabaseUrl(), pool: 32 }),
};

interface Row {
  id: string;
  phase: TournamentPhase;
  startsAt?: number;
  overAt?: number;
}

async function insert(database: Database, rows: readonly Row[]): Promise<void> {
  const values = rows.map(({ id, phase, startsAt = 0, overAt = 0 }) => [id, phase, startsAt, overAt]);
  await database.write(
    `INSERT INTO tournaments (id, phase, starts_at, over_at, name, game, ends_at, phase_ends_at, board_epoch, definition,
       prizes_distributed, created_by, created_at, updated_at)
     VALUES ${values.map(() => "(?, ?, ?, ?, 'T', 'snake', 0, 0, 1, '{}', 0, 'op', 0, 0)").join(", ")}`,
    values.flat(),
  );
}

for (const [name, open] of Object.entries(DATABASES)) {
  describe(`the list of tournaments (${name})`, () => {
    let database: Database;

    before(async function () {
      this.timeout(120_000);
      database = await open();
    });
    beforeEach(() => database.write("DELETE FROM tournaments"));
    after(() => database?.close());

    const listed = async () => (await new Tournaments(database).list()).map(({ id }) => id);

    it("has those on and coming, soonest first, then those that are over, latest first", async () => {
      await insert(database, [
        { id: "coming", phase: "scheduled", startsAt: 9 },
        { id: "settling", phase: "settling", startsAt: 1 },
        { id: "first", phase: "cancelled", startsAt: 20, overAt: 3 },
        { id: "b", phase: "grace", startsAt: 5 },
        { id: "last", phase: "settled", startsAt: 2, overAt: 7 },
        { id: "a", phase: "open", startsAt: 5 },
      ]);
      assert.deepEqual(await listed(), ["settling", "a", "b", "coming", "last", "first"]);
    });

    it("has no more than 100 and 20", async () => {
      const numbers = Array.from({ length: 120 }, (_, each) => each);
      await insert(database, [
        ...numbers.map((each): Row => ({ id: `on${each}`, phase: "open", startsAt: each })),
        ...numbers.map((each): Row => ({ id: `over${each}`, phase: "settled", overAt: 1 + each })),
      ]);
      assert.deepEqual(await listed(), [
        ...numbers.slice(0, 100).map((each) => `on${each}`),
        ...numbers.slice(0, 20).map((each) => `over${119 - each}`),
      ]);
    });
  });
}

const OVER = 3000;
/** Rows that all that is not over may cost, and what the server itself adds. */
const FEW = 300;

describe("tournaments that are over (MariaDB)", () => {
  let database: Database;

  before(async function () {
    this.timeout(120_000);
    database = await openDatabase({ kind: "mysql", url: await migratedDatabaseUrl(), pool: 32 });
    await insert(
      database,
      Array.from({ length: OVER }, (_, each) => ({
        id: `over${each}`,
        phase: "settled",
        startsAt: each,
        overAt: each + 1,
      })),
    );
    await insert(
      database,
      (["scheduled", "open", "grace", "settling", "cancelled"] as const).map((phase) => ({ id: phase, phase })),
    );
    await database.query("ANALYZE TABLE tournaments");
  });
  after(() => database?.close());

  const reads: Record<string, (within: Database) => Promise<unknown>> = {
    "the list": (within) => new Tournaments(within).list(),
    "who waits for scores that are being stored": (within) => awaitCommits(within, "snake"),
    "who looks for those that have been cancelled": (within) => newlyCancelled(within, "snake"),
    "who looks for the best score of some time": (within) => bestOf(within, "snake", { startsAt: 0, endsAt: 1 }),
  };
  for (const [what, work] of Object.entries(reads)) {
    it(`are not read through by ${what}`, async () => {
      const rows = await rowsRead(database, work);
      assert.ok(rows < FEW, `${rows} rows`);
    });
  }
});
