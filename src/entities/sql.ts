import type { EntityManager } from "typeorm";
import { RingmasterError } from "../errors.ts";

/** The result of a statement that returns no rows. */
export interface Written {
  /** Rows matched (MySQL counts matches, not changes; SQLite the same for UPDATE and DELETE). */
  affected: number;
  /** The first id that a multi-row INSERT was given, on both dialects; 0 when there is none. */
  insertId: number;
}

/** Parameterised SQL with `?`. Both dialects take the statements that are the same in both; where they differ, ask `dialect`. */
export interface Sql {
  readonly dialect: "mysql" | "sqlite";
  query<T>(sql: string, params?: readonly unknown[]): Promise<T[]>;
  write(sql: string, params?: readonly unknown[]): Promise<Written>;
}

/** A row as its values, in the order of its columns. */
export type Row = unknown[];

/** What a column may be given in bulk. Numbers must be finite. */
export type Value = string | number | bigint | null;

/** An open transaction; commit or roll back exactly once. */
export interface Transaction extends Sql {
  readonly manager: EntityManager;
  /**
   * Inserts many rows by the fastest means that the server allows; their values are in the order of `columns`. Throws when a
   * single one of them cannot be stored as it is: a key that is taken, a text that is too long.
   */
  load(table: string, columns: readonly string[], rows: ReadonlyArray<readonly Value[]>): Promise<void>;
  /** Throws CommitUnknown when the connection was lost while the commit was under way. */
  commit(): Promise<void>;
  /** Never throws: a connection that is lost has rolled back. */
  rollback(): Promise<void>;
}

/** The database as everything but TypeORM sees it. */
export interface Database extends Sql {
  begin(): Promise<Transaction>;
  /**
   * Reads a result that is too large for the memory, `page` rows at a time and never an empty page. Whoever leaves off early
   * calls `return`, also while `next` is under way, which then ends.
   * MySQL: one statement on a connection of its own, outside of any transaction. SQLite: a statement a page, so that rows which
   * change in between may be read twice or not at all.
   */
  stream(sql: string, params: readonly unknown[], page: number): RowPages;
  /**
   * Stores many rows beside whatever transaction is open, as `Transaction.load` does; when it throws, some of them may be stored.
   * MySQL: on a connection of its own, beside the pool.
   */
  loadApart(table: string, columns: readonly string[], rows: ReadonlyArray<readonly Value[]>): Promise<void>;
  /** Runs `work` in one transaction: commits when it resolves, rolls back when it throws. */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** The pages of `Database.stream`. */
export interface RowPages extends AsyncIterableIterator<Row[], undefined> {
  return(): Promise<IteratorResult<Row[], undefined>>;
}

/** What is read through TypeORM, which wants a transaction. That is rolled back, for nothing is stored that a lost commit would put in doubt. */
export async function readWith<T>(
  database: Pick<Database, "begin">,
  read: (manager: EntityManager) => Promise<T>,
): Promise<T> {
  const tx = await database.begin();
  try {
    return await read(tx.manager);
  } finally {
    await tx.rollback();
  }
}

/** The connection was lost while a commit was under way: it may or may not have happened. */
export class CommitUnknown extends Error {}

/**
 * How to select a DOUBLE so that `Number(value)` is exactly what was stored: mysql2 reads some numbers of 16 and 17 digits a little
 * beside, and SQLite would write them as text with 15.
 */
export function exactDouble(dialect: Sql["dialect"], column: string): string {
  return dialect === "mysql" ? `CAST(${column} AS CHAR)` : column;
}

const LOST = new Set([
  "PROTOCOL_CONNECTION_LOST",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ER_SERVER_SHUTDOWN",
  "ER_CONNECTION_KILLED",
]);
const UNREACHABLE = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EHOSTUNREACH",
  "ER_CON_COUNT_ERROR",
  "ER_ACCESS_DENIED_ERROR",
  "POOL_CLOSED",
]);
const RETRYABLE = new Set([
  "ER_LOCK_DEADLOCK",
  "ER_LOCK_WAIT_TIMEOUT",
  "ER_LOCK_NOWAIT",
  "ER_CHECKREAD",
  "SQLITE_BUSY",
]);

function codeOf(error: unknown): string {
  const source = error as { code?: string; driverError?: { code?: string }; message?: string };
  const code = source.driverError?.code ?? source.code ?? "";
  // mysql2 gives no code when a command is added to a connection that it already knows to be closed.
  return code === "" && /closed state|Pool is closed/.test(source.message ?? "") ? "POOL_CLOSED" : code;
}

/** Whether mysql2 gave the connection up for it; an error that the server sent has an SQL state, and tells what became of the statement. */
function isFatal(error: unknown): boolean {
  const { fatal, sqlState } = error as { fatal?: boolean; sqlState?: string };
  return fatal === true && sqlState === undefined;
}

/**
 * What a failed statement means for whoever sent it:
 * `unreachable`: it was never sent; `lost`: it was sent and no answer came; `conflict`: the server undid it for another
 * transaction's sake, and it may be repeated; `fault`: the statement itself is wrong.
 */
export function failureOf(error: unknown): "unreachable" | "lost" | "conflict" | "fault" {
  const code = codeOf(error);
  if (UNREACHABLE.has(code)) return "unreachable";
  if (LOST.has(code) || isFatal(error)) return "lost";
  return RETRYABLE.has(code) ? "conflict" : "fault";
}

/**
 * Maps a failed statement to what a caller may be told: `outcome_unknown` for a commit of unknown outcome, else `unavailable` unless
 * the statement itself is at fault.
 */
export function databaseError(error: unknown): unknown {
  if (error instanceof CommitUnknown)
    return new RingmasterError(
      "outcome_unknown",
      "The database was lost while this was being stored; it may have taken effect. Repeat it with the same requestId to learn its outcome.",
      undefined,
      { cause: error },
    );
  return failureOf(error) === "fault"
    ? error
    : new RingmasterError("unavailable", "The database is out of reach; try again in a moment.", undefined, {
        cause: error,
      });
}
