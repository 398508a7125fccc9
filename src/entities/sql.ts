import type { EntityManager } from "typeorm";

/** The result of a statement that returns no rows. */
export interface Written {
  /** Rows matched (MySQL counts matches, not changes; SQLite the same for UPDATE and DELETE). */
  affected: number;
  /** What MySQL had to say of it; 0 on SQLite. */
  warnings: number;
}

/** Parameterised SQL with `?`. Both dialects take the statements that are the same in both; where they differ, ask `dialect`. */
export interface Sql {
  readonly dialect: "mysql" | "sqlite";
  query<T>(sql: string, params?: readonly unknown[]): Promise<T[]>;
  write(sql: string, params?: readonly unknown[]): Promise<Written>;
}

/** A row as its values, in the order of its columns. */
export type Row = unknown[];

/** How long a statement of a turn may take that reads or writes a whole event, in milliseconds: less than a turn may. */
export const WHOLE_EVENT_MS = 20_000;

/** What a column may be given in bulk. Numbers must be finite. */
export type Value = string | number | bigint | null;

/** An open transaction; commit or roll back exactly once. */
export interface Transaction extends Sql {
  readonly manager: EntityManager;
  /** Lets each further statement take this long, in milliseconds, where a deadline of its class of work would be too short. */
  allow(statementMs: number): void;
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

/**
 * Classes of work, each with connections of its own, so that none waits for another's:
 * `control`: who owns which actor, and the outbox; `commits`: what players wait for; `turns`: the transactions of actors;
 * `reports`: settlements, jobs, lists, and whatever says nothing else.
 */
export const WORK = ["control", "commits", "turns", "reports"] as const;
export type Work = (typeof WORK)[number];

/** The database as everything but TypeORM sees it. */
export interface Database extends Sql {
  /**
   * The same database on the connections of this class of work; `timers`: on those of `turns`, for which turns of timers wait in a line
   * of their own, so that those of callers wait for no more of them than there are callers. SQLite has one writer, and no classes.
   */
  of(work: Work | "timers"): Database;
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
  /** The way to the server is in doubt: connections that may be dead without anybody having noticed are given up. */
  distrust(): void;
  /** With what the server has refused in the last `ms` milliseconds to store anything, by anybody; undefined when it has not. */
  refusedWithin(ms: number): unknown;
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

/**
 * How to select a DOUBLE so that `Number(value)` is exactly what was stored: mysql2 reads some numbers of 16 and 17 digits a little
 * beside, and SQLite would write them as text with 15.
 */
export function exactDouble(dialect: Sql["dialect"], column: string): string {
  return dialect === "mysql" ? `CAST(${column} AS CHAR)` : column;
}

/** Runs `work` in one transaction: commits when it resolves, rolls back when it throws. */
export async function inTransaction<T>(database: Database, work: (tx: Transaction) => Promise<T>): Promise<T> {
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
