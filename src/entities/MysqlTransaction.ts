import type { QueryOptions } from "mysql2";
import type { DataSource, EntityManager, QueryRunner } from "typeorm";
import type { Line } from "../FairQueue.ts";
import { CommitUnknown, isOver, mayHaveCommitted } from "./failures.ts";
import { type MysqlConnection, writtenBy } from "./MysqlConnection.ts";
import type { MysqlPool } from "./MysqlPool.ts";
import type { BulkLoader } from "./mysqlBulk.ts";
import { type Transaction, type Value, WHOLE_EVENT_MS, type Written } from "./sql.ts";

/**
 * A transaction on one connection of a pool. Its statements go straight to mysql2: through a query runner of TypeORM each of
 * them costs twice the CPU, and a turn or a group commit is five. A runner is made for who asks for the `manager` only.
 */
export class MysqlTransaction implements Transaction {
  readonly dialect = "mysql";
  readonly #source: DataSource;
  readonly #pool: MysqlPool;
  readonly #connection: MysqlConnection;
  readonly #loader: BulkLoader;
  #runner: QueryRunner | undefined;
  #isOver = false;
  /** The error with which the server undid the whole transaction: what was sent after it would be stored on its own. */
  #undone: unknown;

  static async begin(source: DataSource, pool: MysqlPool, loader: BulkLoader, line?: Line): Promise<MysqlTransaction> {
    const transaction = new MysqlTransaction(source, pool, await pool.acquire(line), loader);
    try {
      await transaction.#send("START TRANSACTION");
    } catch (error) {
      transaction.#isOver = true;
      transaction.#release();
      throw error;
    }
    return transaction;
  }

  private constructor(source: DataSource, pool: MysqlPool, connection: MysqlConnection, loader: BulkLoader) {
    this.#source = source;
    this.#pool = pool;
    this.#connection = connection;
    this.#loader = loader;
  }

  get manager(): EntityManager {
    if (this.#isOver) throw isOver();
    this.#runner ??= this.#runnerHere();
    return this.#runner.manager;
  }

  allow(statementMs: number): void {
    if (!this.#isOver) this.#connection.allow(statementMs);
  }

  query<T>(sql: string, params: readonly unknown[] = []): Promise<T[]> {
    return this.#send<T[]>(sql, params);
  }

  write(sql: string, params?: readonly unknown[]): Promise<Written> {
    return writtenBy((query, values) => this.#send(query, values), sql, params);
  }

  load(table: string, columns: readonly string[], rows: ReadonlyArray<readonly Value[]>): Promise<void> {
    // Its COMMIT may take longer, too.
    this.allow(WHOLE_EVENT_MS);
    return this.#loader.load((query, params) => this.#send(query, params), { table, columns }, rows);
  }

  async commit(): Promise<void> {
    this.#close();
    try {
      if (this.#undone) throw this.#undone;
      await this.#connection.send("COMMIT");
    } catch (error) {
      await this.#undo();
      throw mayHaveCommitted(error)
        ? new CommitUnknown("it is not known whether a commit has happened", { cause: error })
        : error;
    }
    this.#release();
  }

  async rollback(): Promise<void> {
    if (this.#isOver) return;
    this.#close();
    await this.#undo();
  }

  /** A statement that comes after the last one would be stored on its own, also while the answer to that is on its way. */
  #close(): void {
    if (this.#isOver) throw isOver();
    this.#isOver = true;
  }

  /** A connection that cannot even roll back must not serve anybody else. */
  async #undo(): Promise<void> {
    await this.#connection.send("ROLLBACK").catch(() => this.#connection.destroy());
    this.#release();
  }

  /** From here on the connection is somebody else's. */
  #release(): void {
    if (this.#runner) Object.assign(this.#runner, { isReleased: true, isTransactionActive: false });
    this.#pool.release(this.#connection);
  }

  async #send<T>(query: string | QueryOptions, params: readonly unknown[] = []): Promise<T> {
    if (this.#isOver) throw isOver();
    if (this.#undone) throw this.#undone;
    try {
      return await this.#connection.send<T>(query, params);
    } catch (error) {
      if ((error as { code?: string }).code === "ER_LOCK_DEADLOCK") this.#undone = error;
      throw error;
    }
  }

  /** A runner that takes this connection and its transaction for its own, and would otherwise get others from TypeORM's pool. */
  #runnerHere(): QueryRunner {
    const query = async (sql: string, params: readonly unknown[]) => [await this.#send(sql, params)];
    const databaseConnection = { promise: () => ({ query }) };
    const state = { databaseConnection, isTransactionActive: true, transactionDepth: 1 };
    return Object.assign(this.#source.createQueryRunner(), state);
  }
}
