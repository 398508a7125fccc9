import { PoolQueries } from "../../src/actors/pools/PoolQueries.ts";
import type { Clock } from "../../src/clock.ts";
import { systemClock, systemRng } from "../../src/clock.ts";
import { databaseTimeIn } from "../../src/entities/databaseTime.ts";
import type { ItemAmount } from "../../src/entities/prizes/PrizeLedger.ts";
import { PrizeLedger } from "../../src/entities/prizes/PrizeLedger.ts";
import type { Database, Sql } from "../../src/entities/sql.ts";
import { openDatabase } from "../support/database.ts";
import { migratedDatabaseUrl } from "../support/migratedDatabase.ts";

export const DATABASES: Record<string, () => Promise<Database>> = {
  SQLite: () => openDatabase({ kind: "sqlite", path: ":memory:" }),
  MariaDB: async () => openDatabase({ kind: "mysql", url: await migratedDatabaseUrl(), pool: 32 }),
};

export const at = (iso: string): number => Date.parse(iso);

/** An entry as a test has it: what it leaves out is of no interest to it. */
export interface AnEntry {
  game?: string;
  player: string;
  name?: string;
  score: number;
  storedAt: number;
  tournament?: string;
}

/** A database with games, tournaments and entries, a clock that stands where it is put, and the operations of its pools. */
export class PoolWorld {
  readonly database: Database;
  readonly ledger: PrizeLedger;
  now = at("2026-11-21T12:00:00Z");
  /** Every wait ends at once, and is noted in milliseconds. */
  readonly waits: number[] = [];
  readonly clock: Pick<Clock, "now" | "schedule"> = {
    now: () => this.now,
    schedule: (callback, ms) => {
      this.waits.push(ms);
      this.now += ms;
      return systemClock.schedule(callback, 0);
    },
  };
  timezone = "UTC";
  #seq = 0;

  constructor(database: Database) {
    this.database = database;
    this.ledger = new PrizeLedger(database, systemRng);
  }

  get operations(): PoolQueries {
    return this.officeBy(() => this.now);
  }

  /** An operations whose database's clock shows this. */
  officeBy(databaseNow: () => number): PoolQueries {
    return new PoolQueries({ ...this, database: this.showing(databaseNow), rng: systemRng });
  }

  /** The database, but for what its clock shows. */
  showing(databaseNow: () => number) {
    const { database } = this;
    const clock = databaseTimeIn(database.dialect);
    const query: Sql["query"] = (sql, params) => database.query(sql.replaceAll(clock, String(databaseNow())), params);
    return {
      dialect: database.dialect,
      query,
      write: database.write.bind(database),
      transaction: database.transaction.bind(database),
    };
  }

  get ports() {
    const { clock, database, ledger, timezone } = this;
    return { clock, database, ledger, timezone, databaseNow: async () => this.now };
  }

  /** Removes everything but the items and the five games. */
  async clear(): Promise<void> {
    for (const table of [
      ...["pools", "pool_contributions", "rankings", "ranking_periods", "ranking_blocks", "ranking_marks"],
      ...["ranking_exclusions"],
      ...["draws", "draw_candidates", "score_entries", "tournaments", "awards", "inventories", "players"],
    ])
      await this.database.write(`DELETE FROM ${table}`);
    this.waits.length = 0;
    this.timezone = "UTC";
    this.#seq = 0;
    await this.tournament("open");
  }

  async tournament(id: string, phase = "open", game = "snake"): Promise<void> {
    await this.database.write(
      `INSERT INTO tournaments (id, name, game, phase, starts_at, ends_at, phase_ends_at, over_at, board_epoch, definition,
         prizes_distributed, created_by, created_at, updated_at) VALUES (?, 'T', ?, ?, 0, 0, 0, 0, 1, '{}', 0, 'op', 0, 0)`,
      [id, game, phase],
    );
  }

  async cancel(id: string): Promise<void> {
    await this.database.write("UPDATE tournaments SET phase = 'cancelled', over_at = ? WHERE id = ?", [this.now, id]);
  }

  async enter(...entries: AnEntry[]): Promise<void> {
    if (entries.length > 0) await this.enterBy(this.database, entries);
  }

  async enterBy(sql: Sql, entries: readonly AnEntry[]): Promise<void> {
    const rows = entries.map(({ game = "snake", player, name = player, score, storedAt, tournament = "open" }) => {
      this.#seq += 1;
      const told = [this.#seq, this.#seq, 1, storedAt];
      return [tournament, player, this.#seq, `s${this.#seq}`, name, game, score, 0, score, 0, ...told];
    });
    await sql.write(
      `INSERT INTO score_entries (tournament_id, player_id, entry_no, submission_id, player_name, game, score, subscore, best,
         best_subscore, seq, reached_seq, told_rank, stored_at) VALUES ${rows.map((row) => `(${row.map(() => "?").join(", ")})`).join(", ")}`,
      rows.flat(),
    );
  }

  async player(id: string, wallet: string | null): Promise<void> {
    await this.database.write("INSERT INTO players (id, name, created_at, wallet) VALUES (?, ?, 0, ?)", [
      id,
      id,
      wallet,
    ]);
  }

  contribute(amount: string, more: { item?: string; key?: string; game?: string; period?: "daily" | "weekly" } = {}) {
    const { item = "TICO", key, game = "snake", period = "daily" } = more;
    return this.operations.contribute({ game, period }, { item, amount }, { operatorId: "op", requestId: key });
  }

  inventory(player: string): Promise<ItemAmount[]> {
    return this.ledger.inventory(player);
  }

  async count(table: string): Promise<number> {
    const [row] = await this.database.query<{ rows: unknown }>(`SELECT COUNT(*) AS \`rows\` FROM ${table}`);
    return Number(row!.rows);
  }
}

/** A world on a fresh database for the tests of a `describe`, given to `take` before the first of them and cleared before each. */
export function useWorld(open: () => Promise<Database>, take: (world: PoolWorld) => void): void {
  let world: PoolWorld | undefined;
  before(async function () {
    this.timeout(120_000);
    world = new PoolWorld(await open());
    take(world);
  });
  beforeEach(() => world?.clear());
  after(() => world?.database.close());
}
