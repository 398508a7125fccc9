import {
  type Connection,
  type ConnectionOptions,
  createConnection,
  type QueryOptions,
  type ResultSetHeader,
} from "mysql2";
import { systemClock } from "../clock.ts";
import { edgeError, failureOf } from "./failures.ts";
import type { Written } from "./sql.ts";

/** Sends one statement. */
export type Send = <T>(query: string | QueryOptions, params?: readonly unknown[]) => Promise<T>;

/** A statement that returns no rows. */
export async function writtenBy(send: Send, sql: string, params: readonly unknown[] = []): Promise<Written> {
  const { affectedRows, warningStatus } = await send<ResultSetHeader>(sql, params);
  return { affected: affectedRows, warnings: warningStatus };
}

/** Closes a connection for good: mysql2 only ends its half, which a dead way never confirms. */
export function discard(connection: Connection): void {
  connection.destroy();
  (connection as unknown as { stream: { destroy(): void } }).stream.destroy();
}

/** How every connection is made. */
export const CONNECTION = {
  supportBigNumbers: true,
  bigNumberStrings: false,
  charset: "utf8mb4_bin",
  enableKeepAlive: true,
} as const;
/** How long it may take until a connection can be used: its handshake, and setting its session. Less than anybody waits for one. */
const OPEN_MS = 3000;

/**
 * A transaction left idle this long is ended by MariaDB itself, so that a stalled process frees its locks: also one that has
 * only locked rows and written none yet, which MariaDB does not take for a write transaction.
 */
const IDLE_TRANSACTION_SECONDS = 3;
/** How long a statement waits for another transaction's row lock: less than any statement may take, so that it ends as a conflict. */
const LOCK_WAIT_SECONDS = 3;
/** What does not fit is refused, on whatever the server is set to; and a backslash escapes, as mysql2 takes it to. */
export const SQL_MODE = "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION";

/** What each session is set to. Only MariaDB has the last one. */
const SESSION = [
  `SET SESSION sql_mode = '${SQL_MODE}', innodb_lock_wait_timeout = ${LOCK_WAIT_SECONDS}`,
  "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
];
const SESSION_OF_MARIADB = `SET SESSION idle_transaction_timeout = ${IDLE_TRANSACTION_SECONDS}`;
const ER_UNKNOWN_SYSTEM_VARIABLE = 1193;

/**
 * A connection whose statements end: with an answer, or with `STATEMENT_TIMEOUT` once whoever watches it (`isSilent`) gives it up.
 * mysql2 by itself waits for ever, and leaves who waits on a destroyed connection without an answer.
 */
export class MysqlConnection {
  readonly #raw: Connection;
  /** Those who wait for an answer; mysql2 sends their statements one after the other. */
  readonly #waiting = new Set<(error: unknown) => void>();
  /** How long each statement may take, in milliseconds. */
  #statementMs: number;
  /** When the statement under way began, or the last one ended, or the connection was lent. Monotonic. */
  #since = systemClock.monotonic();
  /** Of the statement that took too long at the last look: when it began. */
  #lateSince: number | undefined;
  #end: Error | undefined;
  #ended: () => void = () => {};
  #failed: (error: unknown) => void = () => {};

  /** A connection whose session is set. Rejects when it cannot be had. */
  static async open(options: ConnectionOptions, statementMs: number): Promise<MysqlConnection> {
    const connection = new MysqlConnection(createConnection({ ...options, ...CONNECTION }), statementMs);
    const inTime = systemClock.schedule(
      () => connection.destroy(edgeError("STATEMENT_TIMEOUT", `no connection within ${OPEN_MS} ms`)),
      OPEN_MS,
    );
    try {
      await connection.#connected();
      await connection.#prepare();
      return connection;
    } catch (error) {
      connection.destroy(error);
      // Whatever it was, no statement of a user's was sent.
      throw failureOf(error) === "lost" ? edgeError("CONNECTION_GONE", "no connection could be made", error) : error;
    } finally {
      inTime();
    }
  }

  private constructor(raw: Connection, statementMs: number) {
    this.#raw = raw;
    this.#statementMs = statementMs;
    raw.on("error", (error) => this.destroy(error));
    raw.on("end", () => this.destroy());
  }

  /** Called once, when the connection can no longer be used. */
  set onEnd(ended: () => void) {
    this.#ended = ended;
  }

  /** Called with each error of a statement. */
  set onFailure(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  get isOver(): boolean {
    return this.#end !== undefined;
  }

  /**
   * Gives the connection up where the statement under way has taken longer than it may, also at the look before: where this process
   * itself stood still, the answer is there and has not been read yet. Returns whether it was given up.
   */
  endIfLate(): boolean {
    const takesLong = this.#waiting.size > 0 && systemClock.monotonic() - this.#since > this.#statementMs;
    const isLate = takesLong && this.#lateSince === this.#since;
    this.#lateSince = takesLong ? this.#since : undefined;
    if (isLate) this.destroy(edgeError("STATEMENT_TIMEOUT", `no answer within ${this.#statementMs} ms`));
    return isLate;
  }

  /** Whether nothing is under way on it, and was not for this many milliseconds. */
  isUnusedFor(ms: number): boolean {
    return this.#waiting.size === 0 && systemClock.monotonic() - this.#since >= ms;
  }

  /** Begins a new use of it, in which each statement may take this long. */
  lend(statementMs: number): void {
    this.#since = systemClock.monotonic();
    this.#statementMs = statementMs;
  }

  allow(statementMs: number): void {
    this.#statementMs = statementMs;
  }

  send<T>(query: string | QueryOptions, params: readonly unknown[] = []): Promise<T> {
    if (this.#end)
      return Promise.reject(edgeError("CONNECTION_GONE", "the connection was lost before this statement", this.#end));
    return new Promise((resolve, reject) => {
      const isFirst = this.#waiting.size === 0;
      const options = typeof query === "string" ? { sql: query } : query;
      this.#raw.query(options, params as unknown[], (error, result) => {
        if (!this.#waiting.delete(reject)) return;
        this.#since = systemClock.monotonic();
        if (!error) return resolve(result as T);
        this.#failed(error);
        reject(error);
        if (error.fatal) this.destroy(error);
      });
      // Not before: what cannot be made a statement throws above.
      this.#waiting.add(reject);
      if (isFirst) this.#since = systemClock.monotonic();
    });
  }

  /** Gives it up. Whoever waits is told so, by an error that says that their statement was sent; the server finds nobody any more. */
  destroy(why: unknown = edgeError("PROTOCOL_CONNECTION_LOST", "the connection was given up")): void {
    if (this.#end) return;
    this.#end = why as Error;
    for (const reject of this.#waiting) reject(why);
    this.#waiting.clear();
    discard(this.#raw);
    this.#ended();
  }

  /** mysql2 does not tell of a connection that is destroyed before it is made. */
  #connected(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      this.#raw.connect((error) => {
        this.#waiting.delete(reject);
        if (error) reject(error);
        else resolve();
      });
    });
  }

  async #prepare(): Promise<void> {
    const ofMariaDb = this.send(SESSION_OF_MARIADB).catch((error: { errno?: number }) => {
      if (error.errno !== ER_UNKNOWN_SYSTEM_VARIABLE) throw error;
    });
    await Promise.all([...SESSION.map((statement) => this.send(statement)), ofMariaDb]);
  }
}
