import type { ConnectionOptions, QueryOptions } from "mysql2";
import { systemClock } from "../clock.ts";
import { FairQueue, type Line } from "../FairQueue.ts";
import { edgeError } from "./failures.ts";
import { MysqlConnection } from "./MysqlConnection.ts";

export interface PoolLimits {
  /** Connections at most. */
  connections: number;
  /** How long a statement may take unless it says otherwise, in milliseconds. */
  statementMs: number;
  /** How long anybody waits for a connection, in milliseconds. */
  waitMs: number;
}

/** Who waits for a connection, at most, in each line: beyond it a longer queue only hides that the database is too slow. */
const MOST_WAITING = 50_000;
/** How long a closing pool waits for what is under way. */
const CLOSE_MS = 4000;

interface Waiter {
  resolve(connection: MysqlConnection): void;
  reject(error: unknown): void;
  since: number;
}

/**
 * The connections of one class of work, each lent to one user at a time: first come, first served, callers and timers by turns. Whoever watches it calls `watch`
 * several times a second: what takes too long ends there, so that a statement costs no timer.
 */
export class MysqlPool {
  readonly #options: ConnectionOptions;
  readonly #limits: PoolLimits;
  readonly #failed: (error: unknown) => void;
  readonly #idle: MysqlConnection[] = [];
  readonly #lent = new Set<MysqlConnection>();
  readonly #waiting = new FairQueue<Waiter>();
  #opening = 0;
  #isClosed = false;
  #emptied: () => void = () => {};

  /** `failed` is called with each error of a statement. */
  constructor(options: ConnectionOptions, limits: PoolLimits, failed: (error: unknown) => void = () => {}) {
    this.#options = options;
    this.#limits = limits;
    this.#failed = failed;
  }

  /** A connection, to be given back by `release`. Rejects with POOL_FULL, POOL_TIMEOUT, POOL_CLOSED, or why none can be made. */
  acquire(line: Line = "callers"): Promise<MysqlConnection> {
    if (this.#isClosed) return Promise.reject(closed());
    const connection = this.#idle.pop();
    if (connection) return Promise.resolve(this.#lend(connection));
    if (this.#waiting.sizeOf(line) >= MOST_WAITING)
      return Promise.reject(edgeError("POOL_FULL", "too much work waits for a connection to the database"));
    return new Promise((resolve, reject) => {
      this.#waiting.add(line, { resolve, reject, since: systemClock.monotonic() });
      this.#open();
    });
  }

  release(connection: MysqlConnection): void {
    if (!this.#lent.delete(connection)) return;
    if (this.#isClosed) connection.destroy();
    this.#giveOn(connection);
    if (this.#lent.size === 0) this.#emptied();
  }

  /** One statement on a connection of its own. */
  async send<T>(sql: string | QueryOptions, params?: readonly unknown[], line?: Line): Promise<T> {
    const connection = await this.acquire(line);
    try {
      return await connection.send<T>(sql, params);
    } finally {
      this.release(connection);
    }
  }

  /** Ends what has taken too long. Returns whether a statement was not answered: then all ways to the server are in doubt. */
  watch(): boolean {
    let isSilent = false;
    for (const connection of this.#lent) isSilent = connection.endIfLate() || isSilent;
    const waitedSince = systemClock.monotonic() - this.#limits.waitMs;
    for (const { reject } of this.#waiting.takeWhile(({ since }) => since < waitedSince))
      reject(edgeError("POOL_TIMEOUT", `no connection was free within ${this.#limits.waitMs} ms`));
    // One that could not be opened before may be now.
    this.#open();
    return isSilent;
  }

  /** Gives up what may be dead without anybody having noticed: what nobody uses, and what was lent and long not used. */
  distrust(): void {
    for (const connection of this.#idle.splice(0)) connection.destroy();
    for (const connection of this.#lent) if (connection.isUnusedFor(this.#limits.statementMs)) connection.destroy();
  }

  /** Lends nothing more; resolves once what is under way has ended, and that is soon. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { reject } of this.#waiting.takeWhile(() => true)) reject(closed());
    for (const connection of this.#idle.splice(0)) connection.destroy();
    for (const connection of this.#lent) if (connection.isUnusedFor(0)) connection.destroy();
    const { promise, resolve } = Promise.withResolvers<void>();
    const late = systemClock.schedule(resolve, CLOSE_MS);
    this.#emptied = resolve;
    if (![...this.#lent].some((connection) => !connection.isOver)) resolve();
    await promise;
    late();
    for (const connection of this.#lent) connection.destroy();
  }

  #lend(connection: MysqlConnection): MysqlConnection {
    this.#lent.add(connection);
    connection.lend(this.#limits.statementMs);
    return connection;
  }

  /** To whoever is next, or to nobody. A connection that is over makes room for another. */
  #giveOn(connection: MysqlConnection): void {
    const waiter = connection.isOver ? undefined : this.#waiting.take();
    if (waiter) waiter.resolve(this.#lend(connection));
    else if (connection.isOver) this.#open();
    else this.#idle.push(connection);
  }

  /** Opens as many as are waited for and may be. */
  #open(): void {
    while (this.#opening < this.#waiting.size && this.#size < this.#limits.connections) {
      this.#opening += 1;
      const began = systemClock.monotonic();
      MysqlConnection.open(this.#options, this.#limits.statementMs)
        .finally(() => {
          this.#opening -= 1;
        })
        .then(
          (connection) => this.#opened(connection),
          (error: unknown) => this.#notOpened(error, began),
        );
    }
  }

  #opened(connection: MysqlConnection): void {
    connection.onEnd = () => this.#ended(connection);
    connection.onFailure = this.#failed;
    if (this.#isClosed) connection.destroy();
    else this.#giveOn(connection);
  }

  /** Whoever has waited all that time is told why, unless there are connections to be given back; who came later sees another try. */
  #notOpened(error: unknown, began: number): void {
    if (this.#lent.size > 0) return;
    for (const { reject } of this.#waiting.takeWhile(({ since }) => since <= began)) reject(error);
    this.#open();
  }

  #ended(connection: MysqlConnection): void {
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    // Who has it learns of it by its next statement, if there is one: its place is free at once.
    this.release(connection);
  }

  get #size(): number {
    return this.#idle.length + this.#lent.size + this.#opening;
  }
}

function closed(): Error {
  return edgeError("POOL_CLOSED", "this node has closed its connections to the database");
}
