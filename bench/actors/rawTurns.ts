import { createPool, type Pool, type PoolConnection, type ResultSetHeader } from "mysql2";
import { CounterActor, INSERT_ROW } from "./benchActors.ts";

const SET_STATE = "state = ?, timers = ?, due_at = ?, failing_at = ?, updated_at = ?";
const HERE = "WHERE kind = ? AND id = ? AND epoch = ? AND version = ?";
/** A turn that changes the state and the timers. */
export const ONE_STATEMENT = `UPDATE actors SET version = version + 1, ${SET_STATE} ${HERE}`;
const FENCE = `UPDATE actors SET version = version + 1 ${HERE}`;
const STATE = `UPDATE actors SET ${SET_STATE} ${HERE}`;

/** The statements of a turn by mysql2 and nothing else: what the actor runtime is measured by. */
export class RawTurns {
  readonly #pool: Pool;
  /** By row: how often it was written. */
  readonly #versions: number[];

  private constructor(pool: Pool, rows: number) {
    this.#pool = pool;
    this.#versions = new Array<number>(rows).fill(0);
  }

  /** Makes `rows` rows beside those of the actors, and a pool of `connections` under the runtime's session settings. */
  static async open(url: string, connections: number, rows: number): Promise<RawTurns> {
    const pool = createPool({ uri: url, connectionLimit: connections, maxIdle: connections, charset: "utf8mb4_bin" });
    pool.on("connection", (connection) => {
      connection.query("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
    });
    const raw = new RawTurns(pool, rows);
    for (let row = 0; row < rows; row++) await raw.#create(row);
    return raw;
  }

  /** What a turn without SQL of its own stores. */
  async add(row: number): Promise<void> {
    const values = [...this.#stateOf(row), ...this.#keyOf(row, 0)];
    requireOne(await send<ResultSetHeader>(this.#pool, ONE_STATEMENT, values));
    this.#versions[row]! += 1;
  }

  /** What a turn stores that inserts a row. */
  async addRow(row: number): Promise<void> {
    const connection = await new Promise<PoolConnection>((resolve, reject) => {
      this.#pool.getConnection((error, free) => (error ? reject(error) : resolve(free)));
    });
    try {
      await send(connection, "START TRANSACTION", []);
      requireOne(await send<ResultSetHeader>(connection, FENCE, this.#keyOf(row, 0)));
      await send(connection, INSERT_ROW, [idOf(row), this.#versions[row]! + 1]);
      requireOne(await send<ResultSetHeader>(connection, STATE, [...this.#stateOf(row), ...this.#keyOf(row, 1)]));
      await send(connection, "COMMIT", []);
    } finally {
      connection.release();
    }
    this.#versions[row]! += 1;
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#pool.end(() => resolve()));
  }

  async #create(row: number): Promise<void> {
    await send(
      this.#pool,
      `INSERT INTO actors (kind, id, owner, epoch, version, state, timers, due_at, crashes, created_at, updated_at)
      VALUES (?, ?, 'raw', 1, 0, '{}', '[]', NULL, 0, 0, 0)`,
      [CounterActor.kind, idOf(row)],
    );
  }

  #stateOf(row: number): unknown[] {
    const state = { ...CounterActor.initial(), count: this.#versions[row]! + 1 };
    return [JSON.stringify(state), "[]", null, null, Date.now()];
  }

  #keyOf(row: number, ahead: number): unknown[] {
    return [CounterActor.kind, idOf(row), 1, this.#versions[row]! + ahead];
  }
}

const idOf = (row: number): string => `raw-${row}`;

function send<T>(target: Pool | PoolConnection, sql: string, values: unknown[]): Promise<T> {
  return new Promise((resolve, reject) => {
    target.query(sql, values, (error, result) => (error ? reject(error) : resolve(result as T)));
  });
}

function requireOne({ affectedRows }: ResultSetHeader): void {
  if (affectedRows !== 1) throw new Error(`a statement matched ${affectedRows} rows, not one`);
}
