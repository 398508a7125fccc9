import { Actor, type TimerHandlers } from "../../src/actors/runtime/Actor.ts";

/** Some hundred bytes, as the state of an actor that has little to keep. */
export interface CounterState {
  count: number;
  note: string;
}

const NOTE = "A state is stored whole with every turn, so a bench must not have an empty one.";

/** Counts, so that every turn changes the state and has to be stored. */
export class CounterActor extends Actor<CounterState> {
  static readonly kind = "bench-counter";
  static initial(): CounterState {
    return { count: 0, note: NOTE };
  }

  /** A turn that is one statement. */
  async add(): Promise<number> {
    this.state.count += 1;
    return this.state.count;
  }

  /** A turn with SQL of its own, hence a transaction: BEGIN, the fence, this INSERT, the state, COMMIT. */
  async addRow(): Promise<number> {
    const sql = await this.sql();
    this.state.count += 1;
    await sql.write(INSERT_ROW, [this.id, this.state.count]);
    return this.state.count;
  }

  readonly timers: TimerHandlers = {};
}

export const CREATE_ROWS = `CREATE TABLE bench_rows (
  seq BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, actor VARCHAR(64) NOT NULL, count BIGINT NOT NULL
) ENGINE=InnoDB`;
export const INSERT_ROW = "INSERT INTO bench_rows (actor, count) VALUES (?, ?)";
