import type { ConnectionOptions } from "mysql2";
import type { DataSource } from "typeorm";
import { systemClock } from "../clock.ts";
import type { Line } from "../FairQueue.ts";
import { refusesWrites } from "./failures.ts";
import { MysqlConnection, writtenBy } from "./MysqlConnection.ts";
import { MysqlPool } from "./MysqlPool.ts";
import { MysqlTransaction } from "./MysqlTransaction.ts";
import { BulkLoader, MysqlPages } from "./mysqlBulk.ts";
import {
  type Database,
  inTransaction,
  type RowPages,
  type Transaction,
  type Value,
  WHOLE_EVENT_MS,
  WORK,
  type Work,
  type Written,
} from "./sql.ts";

/** How long a statement may take: less than half of a call's 10 s. */
const STATEMENT_MS = 4000;
/** Of a settlement, a job, or whatever else nobody waits for at that moment. */
const REPORT_MS = 60_000;
/**
 * How long anybody waits for a connection. With the statement after it that is less than a call's 10 s: its caller hears in time that
 * nothing happened. A turn that waits three times (mark, answer, commit) is within its 30 s, and not taken for one that hangs. At most
 * 4,096 turns of a node are under way (`TurnGate`), so none waits for longer where the database ends 1,024 a second; a timer: 2,048,
 * while as many callers make new actors. Where it is slower, a timer whose turn got no connection is tried again after 1 s, then every
 * 2 s; its failure costs no query.
 */
const WAIT_MS = 4000;
/** How often the connections are looked at: what takes too long ends that much later. */
const WATCH_EVERY_MS = 250;

/** How the connections of a node are divided; `total` is at least one a class. */
export function shares(total: number): Record<Work, number> {
  const control = Math.max(1, Math.floor(total / 8));
  const reports = control;
  const turns = Math.max(1, Math.floor((total - control - reports) / 2));
  return { control, reports, turns, commits: Math.max(1, total - control - reports - turns) };
}

/** MySQL or MariaDB: one pool of connections for each class of work. */
export class MysqlServer {
  readonly #source: DataSource;
  readonly #options: ConnectionOptions;
  readonly #loader = new BulkLoader();
  readonly #databases: ReadonlyMap<Work, MysqlDatabase>;
  /** The turns' connections once more. */
  readonly #timers: MysqlDatabase;
  readonly #pools: readonly MysqlPool[];
  /** Connections that rows are loaded by, beside the pools. */
  readonly #loading = new Set<MysqlConnection>();
  /** What a write was refused with last, and when (monotonic). */
  #refusal: { error: unknown; at: number } | undefined;
  #stopWatching: () => void = () => {};

  constructor(source: DataSource, options: ConnectionOptions, connections: number) {
    this.#source = source;
    this.#options = options;
    const share = shares(connections);
    const pools = WORK.map((work) => {
      const statementMs = work === "reports" ? REPORT_MS : STATEMENT_MS;
      const waitMs = work === "reports" ? REPORT_MS : WAIT_MS;
      return [
        work,
        new MysqlPool(options, { connections: share[work], statementMs, waitMs }, (error) => this.#noteFailure(error)),
      ] as const;
    });
    this.#pools = pools.map(([, pool]) => pool);
    this.#databases = new Map(pools.map(([work, pool]) => [work, new MysqlDatabase(this, pool, "callers")]));
    const [, turns] = pools.find(([work]) => work === "turns")!;
    this.#timers = new MysqlDatabase(this, turns, "timers");
    this.#watch();
  }

  of(work: Work | "timers"): Database {
    return work === "timers" ? this.#timers : this.#databases.get(work)!;
  }

  begin(pool: MysqlPool, line: Line): Promise<Transaction> {
    return MysqlTransaction.begin(this.#source, pool, this.#loader, line);
  }

  stream(sql: string, values: readonly unknown[], page: number): RowPages {
    return new MysqlPages(this.#options, { sql, values, page });
  }

  async loadApart(table: string, columns: readonly string[], rows: ReadonlyArray<readonly Value[]>): Promise<void> {
    const connection = await MysqlConnection.open(this.#options, WHOLE_EVENT_MS);
    this.#loading.add(connection);
    try {
      await this.#loader.load((query, params) => connection.send(query, params), { table, columns }, rows);
    } finally {
      this.#loading.delete(connection);
      connection.destroy();
    }
  }

  /** Something was not answered: what may be dead as well is given up. Opening another connection takes a millisecond. */
  distrust(): void {
    for (const pool of this.#pools) pool.distrust();
  }

  refusedWithin(ms: number): unknown {
    return this.#refusal && systemClock.monotonic() - this.#refusal.at <= ms ? this.#refusal.error : undefined;
  }

  #noteFailure(error: unknown): void {
    if (refusesWrites(error)) this.#refusal = { error, at: systemClock.monotonic() };
  }

  async close(): Promise<void> {
    await Promise.all(this.#pools.map((pool) => pool.close()));
    this.#stopWatching();
    await this.#source.destroy();
  }

  #watch(): void {
    let isSilent = false;
    for (const pool of this.#pools) isSilent = pool.watch() || isSilent;
    for (const connection of this.#loading) connection.endIfLate();
    if (isSilent) this.distrust();
    this.#stopWatching = systemClock.schedule(() => this.#watch(), WATCH_EVERY_MS);
  }
}

/** The database on the connections of one class of work, for which it waits in one of their lines. */
class MysqlDatabase implements Database {
  readonly dialect = "mysql";
  readonly #server: MysqlServer;
  readonly #pool: MysqlPool;
  readonly #line: Line;

  constructor(server: MysqlServer, pool: MysqlPool, line: Line) {
    this.#server = server;
    this.#pool = pool;
    this.#line = line;
  }

  of(work: Work | "timers"): Database {
    return this.#server.of(work);
  }

  /** One round trip, without a TypeORM query runner: this is the runtime's hot path. */
  query<T>(sql: string, params: readonly unknown[] = []): Promise<T[]> {
    return this.#pool.send<T[]>(sql, params, this.#line);
  }

  write(sql: string, params?: readonly unknown[]): Promise<Written> {
    return writtenBy((query, values) => this.#pool.send(query, values, this.#line), sql, params);
  }

  begin(): Promise<Transaction> {
    return this.#server.begin(this.#pool, this.#line);
  }

  stream(sql: string, values: readonly unknown[], page: number): RowPages {
    return this.#server.stream(sql, values, page);
  }

  loadApart(table: string, columns: readonly string[], rows: ReadonlyArray<readonly Value[]>): Promise<void> {
    return this.#server.loadApart(table, columns, rows);
  }

  distrust(): void {
    this.#server.distrust();
  }

  refusedWithin(ms: number): unknown {
    return this.#server.refusedWithin(ms);
  }

  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return inTransaction(this, work);
  }

  close(): Promise<void> {
    return this.#server.close();
  }
}
