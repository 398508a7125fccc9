import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { Connection, ConnectionOptions, Pool, PoolConnection, ResultSetHeader } from "mysql2";
import { DataSource, type DataSourceOptions, type EntityManager, type QueryRunner } from "typeorm";
import { ConfigError, type DatabaseConfig } from "../config.ts";
import { insertAll, pagesByOffset } from "./bulk.ts";
import { ENTITIES } from "./index.ts";
import { MysqlTransaction } from "./MysqlTransaction.ts";
import { MIGRATIONS } from "./migrations/index.ts";
import { BulkLoader, MysqlPages } from "./mysqlBulk.ts";
import type { Database, RowPages, Transaction, Value, Written } from "./sql.ts";
import { WriterQueue } from "./WriterQueue.ts";

/**
 * A transaction left idle this long is ended by MariaDB itself, so that a stalled process frees its locks: also one that has
 * only locked rows and written none yet, which MariaDB does not take for a write transaction.
 */
const IDLE_TRANSACTION_SECONDS = 3;
/** How long a statement waits for another transaction's row lock; a turn that waits longer is retried instead. */
const LOCK_WAIT_SECONDS = 5;
/** How long whoever reads a stream may take for a page before the server gives it up. */
const STREAM_PAUSE_SECONDS = 600;
const STREAM_SORT_BYTES = 32 * 2 ** 20;
/** SQLite takes so many values in a statement. */
const SQLITE_VALUES = 32_766;
/** Several nodes may start at once: one migrates, the others wait this long for it. */
const MIGRATION_LOCK_SECONDS = 60;

/**
 * Opens the database and runs every pending migration; nothing may listen before this resolves. Rejects with a ConfigError when
 * the database cannot be reached or opened.
 */
export async function openDatabase(config: DatabaseConfig): Promise<Database> {
  return config.kind === "mysql" ? openMysql(config) : openSqlite(config.path);
}

/** How every connection is made. */
const CONNECTION = { supportBigNumbers: true, bigNumberStrings: false, charset: "utf8mb4_bin", connectTimeout: 5000 };

async function openMysql(config: { url: string; pool: number }): Promise<Database> {
  const source = new DataSource({
    type: "mysql",
    url: config.url,
    poolSize: config.pool,
    ...CONNECTION,
    entities: ENTITIES,
    migrations: [...MIGRATIONS],
    extra: { enableKeepAlive: true, maxIdle: config.pool },
  } as DataSourceOptions);
  await opening(() => source.initialize());
  const pool = (source.driver as unknown as { pool: Pool }).pool;
  pool.on("connection", (connection: PoolConnection) => prepareSession(connection));
  // TypeORM tried the pool with a connection that was made before the listener above.
  pool.getConnection((error, connection) => {
    if (error) return;
    prepareSession(connection);
    connection.release();
  });
  await migrateUnderLock(source);
  return new MysqlDatabase(source, pool, { uri: config.url, ...CONNECTION });
}

async function opening(step: () => unknown): Promise<void> {
  try {
    await step();
  } catch (error) {
    const { message, code } = error as Error & { code?: string };
    throw new ConfigError(`DATABASE_URL: the database cannot be opened (${message || code})`, { cause: error });
  }
}

/** READ COMMITTED everywhere; MariaDB also ends transactions that a stalled process left open. */
function prepareSession(connection: Connection): void {
  // A server that lacks a variable (MySQL has no idle_transaction_timeout) answers with an error that changes nothing.
  const ignore = (): void => {};
  connection.query("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", ignore);
  connection.query(`SET SESSION innodb_lock_wait_timeout = ${LOCK_WAIT_SECONDS}`, ignore);
  connection.query(`SET SESSION idle_transaction_timeout = ${IDLE_TRANSACTION_SECONDS}`, ignore);
}

/** A long result is sorted with more memory than most, and may be read with pauses longer than a server otherwise waits. */
function prepareStream(connection: Connection): void {
  connection.query(`SET SESSION sort_buffer_size = ${STREAM_SORT_BYTES}`, () => {});
  connection.query(`SET SESSION net_write_timeout = ${STREAM_PAUSE_SECONDS}`, () => {});
}

async function migrateUnderLock(source: DataSource): Promise<void> {
  const runner = source.createQueryRunner();
  try {
    const [row] = await runner.query("SELECT GET_LOCK('ringmaster.migrations', ?) AS got", [MIGRATION_LOCK_SECONDS]);
    if (Number(row?.got) !== 1) throw new Error("another node has been migrating the database for over a minute");
    await source.runMigrations({ transaction: "each" });
  } finally {
    await runner.query("DO RELEASE_LOCK('ringmaster.migrations')").catch(() => {});
    await runner.release();
  }
}

class MysqlDatabase implements Database {
  readonly dialect = "mysql";
  readonly #source: DataSource;
  readonly #pool: Pool;
  /** For connections that are not the pool's. */
  readonly #options: ConnectionOptions;
  readonly #loader = new BulkLoader();

  constructor(source: DataSource, pool: Pool, options: ConnectionOptions) {
    this.#source = source;
    this.#pool = pool;
    this.#options = options;
  }

  /** One round trip on a pooled connection, without a TypeORM query runner: this is the runtime's hot path. */
  #send<T>(sql: string, params: readonly unknown[]): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#pool.query(sql, params as unknown[], (error, result) => (error ? reject(error) : resolve(result as T)));
    });
  }

  query<T>(sql: string, params: readonly unknown[] = []): Promise<T[]> {
    return this.#send<T[]>(sql, params);
  }

  async write(sql: string, params: readonly unknown[] = []): Promise<Written> {
    const header = await this.#send<ResultSetHeader>(sql, params);
    return { affected: header.affectedRows, insertId: header.insertId };
  }

  begin(): Promise<Transaction> {
    return MysqlTransaction.begin(this.#source, this.#pool, this.#loader);
  }

  stream(sql: string, values: readonly unknown[], page: number): RowPages {
    return new MysqlPages(this.#options, prepareStream, { sql, values, page });
  }

  loadApart(table: string, columns: readonly string[], rows: ReadonlyArray<readonly Value[]>): Promise<void> {
    return this.#loader.loadApart(this.#options, prepareSession, { table, columns }, rows);
  }

  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return inTransaction(this, work);
  }

  close(): Promise<void> {
    return this.#source.destroy();
  }
}

async function openSqlite(path: string): Promise<Database> {
  if (path !== ":memory:") await opening(() => mkdirSync(dirname(path), { recursive: true }));
  const source = new DataSource({
    type: "better-sqlite3",
    database: path,
    entities: ENTITIES,
    migrations: [...MIGRATIONS],
    enableWAL: path !== ":memory:",
  });
  await opening(() => source.initialize());
  // FULL keeps "acknowledged is durable" true through a power cut, as InnoDB's default does.
  await source.query("PRAGMA synchronous = FULL");
  await source.runMigrations({ transaction: "each" });
  return new SqliteDatabase(source);
}

/** TypeORM's SQLite has one connection and one runner, so everything passes one queue: a transaction holds it from begin to end. */
class SqliteDatabase implements Database {
  readonly dialect = "sqlite";
  readonly #source: DataSource;
  readonly #runner: QueryRunner;
  readonly #queue = new WriterQueue();

  constructor(source: DataSource) {
    this.#source = source;
    this.#runner = source.createQueryRunner();
  }

  async query<T>(sql: string, params: readonly unknown[] = []): Promise<T[]> {
    return this.#queue.run(async () => (await this.#runner.query(sql, [...params], true)).records as T[]);
  }

  async write(sql: string, params: readonly unknown[] = []): Promise<Written> {
    return this.#queue.run(() => runnerWrite(this.#runner, sql, params));
  }

  async begin(): Promise<Transaction> {
    const leave = await this.#queue.enter();
    try {
      await this.#runner.startTransaction();
    } catch (error) {
      leave();
      throw error;
    }
    return new SqliteTransaction(this.#runner, leave);
  }

  stream(sql: string, params: readonly unknown[], page: number): RowPages {
    return pagesByOffset(this, sql, params, page);
  }

  loadApart(table: string, columns: readonly string[], rows: ReadonlyArray<readonly Value[]>): Promise<void> {
    return this.transaction((tx) => tx.load(table, columns, rows));
  }

  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return inTransaction(this, work);
  }

  async close(): Promise<void> {
    await this.#queue.run(() => this.#source.destroy());
  }
}

async function runnerWrite(runner: QueryRunner, sql: string, params: readonly unknown[]): Promise<Written> {
  const result = await runner.query(sql, [...params], true);
  // SQLite tells the last id of a multi-row INSERT, MySQL the first; ids of one statement are consecutive in both.
  const affected = result.affected ?? 0;
  return { affected, insertId: affected === 0 ? 0 : Number(result.raw) - affected + 1 };
}

class SqliteTransaction implements Transaction {
  readonly dialect = "sqlite";
  readonly #runner: QueryRunner;
  readonly #leave: () => void;

  constructor(runner: QueryRunner, leave: () => void) {
    this.#runner = runner;
    this.#leave = leave;
  }

  get manager(): EntityManager {
    return this.#runner.manager;
  }

  async query<T>(sql: string, params: readonly unknown[] = []): Promise<T[]> {
    return (await this.#runner.query(sql, [...params], true)).records as T[];
  }

  write(sql: string, params: readonly unknown[] = []): Promise<Written> {
    return runnerWrite(this.#runner, sql, params);
  }

  load(table: string, columns: readonly string[], rows: ReadonlyArray<readonly Value[]>): Promise<void> {
    return insertAll(this, { table, columns }, rows, SQLITE_VALUES);
  }

  async commit(): Promise<void> {
    try {
      await this.#runner.commitTransaction();
    } catch (error) {
      await this.#runner.rollbackTransaction().catch(() => {});
      throw error;
    } finally {
      this.#leave();
    }
  }

  async rollback(): Promise<void> {
    await this.#runner.rollbackTransaction().catch(() => {});
    this.#leave();
  }
}

async function inTransaction<T>(database: Database, work: (tx: Transaction) => Promise<T>): Promise<T> {
  const tx = await database.begin();
  let result: T;
  try {
    result = await work(tx);
  } catch (error) {
    await tx.rollback();
    throw error;
  }
  await tx.commit();
  return result;
}
