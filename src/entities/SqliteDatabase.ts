import type { DataSource, EntityManager, QueryRunner } from "typeorm";
import { insertAll, pagesByOffset } from "./bulk.ts";
import { CommitUnknown, isOver, mayHaveCommitted } from "./failures.ts";
import { type Database, inTransaction, type RowPages, type Transaction, type Value, type Written } from "./sql.ts";
import { WriterQueue } from "./WriterQueue.ts";

/** SQLite takes so many values in a statement. */
const SQLITE_VALUES = 32_766;

/** TypeORM's SQLite has one connection and one runner, so everything passes one queue: a transaction holds it from begin to end. */
export class SqliteDatabase implements Database {
  readonly dialect = "sqlite";
  readonly #source: DataSource;
  readonly #runner: QueryRunner;
  readonly #queue = new WriterQueue();

  constructor(source: DataSource) {
    this.#source = source;
    this.#runner = source.createQueryRunner();
  }

  of(): Database {
    return this;
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

  distrust(): void {}

  refusedWithin(): undefined {}

  async close(): Promise<void> {
    await this.#queue.run(() => this.#source.destroy());
  }
}

async function runnerWrite(runner: QueryRunner, sql: string, params: readonly unknown[]): Promise<Written> {
  const result = await runner.query(sql, [...params], true);
  return { affected: result.affected ?? 0, warnings: 0 };
}

class SqliteTransaction implements Transaction {
  readonly dialect = "sqlite";
  readonly #runner: QueryRunner;
  readonly #leave: () => void;
  /** The connection is that of others', too: what is asked from now on would be theirs. */
  #isOver = false;

  constructor(runner: QueryRunner, leave: () => void) {
    this.#runner = runner;
    this.#leave = leave;
  }

  get manager(): EntityManager {
    if (this.#isOver) throw isOver();
    return this.#runner.manager;
  }

  /** A statement runs in this very process, and to its end. */
  allow(): void {}

  async query<T>(sql: string, params: readonly unknown[] = []): Promise<T[]> {
    if (this.#isOver) throw isOver();
    return (await this.#runner.query(sql, [...params], true)).records as T[];
  }

  async write(sql: string, params: readonly unknown[] = []): Promise<Written> {
    if (this.#isOver) throw isOver();
    return runnerWrite(this.#runner, sql, params);
  }

  load(table: string, columns: readonly string[], rows: ReadonlyArray<readonly Value[]>): Promise<void> {
    return insertAll(this, { table, columns }, rows, SQLITE_VALUES);
  }

  async commit(): Promise<void> {
    if (this.#isOver) throw isOver();
    this.#isOver = true;
    try {
      await this.#runner.commitTransaction();
    } catch (error) {
      await this.#runner.rollbackTransaction().catch(() => {});
      throw mayHaveCommitted(error)
        ? new CommitUnknown("it is not known whether a commit has happened", { cause: error })
        : error;
    } finally {
      this.#leave();
    }
  }

  async rollback(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    await this.#runner.rollbackTransaction().catch(() => {});
    this.#leave();
  }
}
