import type { Pool, PoolConnection, QueryOptions, ResultSetHeader } from "mysql2";
import type { DataSource, EntityManager, QueryRunner } from "typeorm";
import type { BulkLoader } from "./mysqlBulk.ts";
import { CommitUnknown, failureOf, type Transaction, type Value, type Written } from "./sql.ts";

/**
 * A transaction on one connection of the pool. Its statements go straight to mysql2: through a query runner of TypeORM each of
 * them costs twice the CPU, and a turn or a group commit is five. A runner is made for who asks for the `manager` only.
 */
export class MysqlTransaction implements Transaction {
  readonly dialect = "mysql";
  readonly #source: DataSource;
  readonly #connection: PoolConnection;
  readonly #loader: BulkLoader;
  #runner: QueryRunner | undefined;
  #isOver = false;
  /** The error with which the server undid the whole transaction: what was sent after it would be stored on its own. */
  #undone: unknown;

  static async begin(source: DataSource, pool: Pool, loader: BulkLoader): Promise<MysqlTransaction> {
    const connection = await new Promise<PoolConnection>((resolve, reject) => {
      pool.getConnection((error, free) => (error ? reject(error) : resolve(free)));
    });
    const transaction = new MysqlTransaction(source, connection, loader);
    try {
      await transaction.#send("START TRANSACTION");
    } catch (error) {
      transaction.#end();
      throw error;
    }
    return transaction;
  }

  private constructor(source: DataSource, connection: PoolConnection, loader: BulkLoader) {
    this.#source = source;
    this.#connection = connection;
    this.#loader = loader;
  }

  get manager(): EntityManager {
    this.#runner ??= this.#runnerHere();
    return this.#runner.manager;
  }

  query<T>(sql: string, params: readonly unknown[] = []): Promise<T[]> {
    return this.#send<T[]>(sql, params);
  }

  async write(sql: string, params: readonly unknown[] = []): Promise<Written> {
    const { affectedRows, insertId } = await this.#send<ResultSetHeader>(sql, params);
    return { affected: affectedRows, insertId };
  }

  load(table: string, columns: readonly string[], rows: ReadonlyArray<readonly Value[]>): Promise<void> {
    return this.#loader.load(this, (query, params) => this.#send(query, params), { table, columns }, rows);
  }

  async commit(): Promise<void> {
    try {
      await this.#send("COMMIT");
    } catch (error) {
      if (failureOf(error) === "lost")
        throw new CommitUnknown("the connection was lost during a commit", { cause: error });
      await this.#undo();
      throw error;
    } finally {
      this.#end();
    }
  }

  async rollback(): Promise<void> {
    await this.#undo();
    this.#end();
  }

  /** A connection that cannot even roll back must not serve anybody else. */
  async #undo(): Promise<void> {
    this.#undone = undefined;
    if (!this.#isOver) await this.#send("ROLLBACK").catch(() => this.#connection.destroy());
  }

  /** From here on the connection is somebody else's. */
  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#runner) Object.assign(this.#runner, { isReleased: true, isTransactionActive: false });
    this.#connection.release();
  }

  #send<T>(query: string | QueryOptions, params: readonly unknown[] = []): Promise<T> {
    if (this.#isOver) return Promise.reject(new Error("the transaction is over"));
    if (this.#undone) return Promise.reject(this.#undone);
    return new Promise((resolve, reject) => {
      const options = typeof query === "string" ? { sql: query } : query;
      this.#connection.query(options, params as unknown[], (error, result) => {
        if (error?.code === "ER_LOCK_DEADLOCK") this.#undone = error;
        if (error) reject(error);
        else resolve(result as T);
      });
    });
  }

  /** A runner that takes this connection and its transaction for its own, and would otherwise get others from the pool. */
  #runnerHere(): QueryRunner {
    const state = { databaseConnection: this.#connection, isTransactionActive: true, transactionDepth: 1 };
    return Object.assign(this.#source.createQueryRunner(), state);
  }
}
