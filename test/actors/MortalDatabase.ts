import type { EntityManager } from "typeorm";
import { CommitUnknown, edgeError, mayHaveCommitted } from "../../src/entities/failures.ts";
import type { Database, RowPages, Sql, Transaction, Value, Work, Written } from "../../src/entities/sql.ts";
import type { Places } from "./Places.ts";
import type { Mishap, ProcessLife } from "./ProcessLife.ts";

const lost = (): Error => Object.assign(new Error("Connection lost"), { code: "PROTOCOL_CONNECTION_LOST" });
const closed = (): Error => edgeError("CONNECTION_GONE", "the connection was lost before this statement");

/** An operation that gets no answer is given up with its connection after this, in milliseconds: what whoever uses a database may rely on. */
export const ANSWER_DEADLINE_MS = 4000;

/** Lets happen to a live process what `fate` says; throws what its operation then ends with. `onLost` hears of a lost connection. */
export async function undergo(
  life: ProcessLife,
  fate: () => Mishap | undefined,
  onLost: () => Promise<void> = nothing,
): Promise<void> {
  const mishap = life.isDead ? undefined : fate();
  if (mishap === "crash") await life.die();
  await life.reached(undefined);
  if (mishap === undefined || mishap === "crash") return;
  if (typeof mishap === "object") throw mishap.refuse;
  // The server soon rolls back what was open; here it does so at once.
  await onLost();
  if (mishap === "fall silent") await life.silence(ANSWER_DEADLINE_MS);
  throw lost();
}

/** Runs an operation as the process's fate wills. `onLost` hears of a lost connection. */
async function operate<T>(
  life: ProcessLife,
  statement: string,
  work: () => Promise<T>,
  onLost: () => Promise<void>,
): Promise<T> {
  const befall = (when: "before" | "after"): Promise<void> =>
    undergo(life, () => life.onOperation(when, statement), onLost);
  const latencyMs = life.latencyMs();
  if (latencyMs > 0) await life.pass(latencyMs);
  await befall("before");
  life.underWay += 1;
  const settled = await work().then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  life.underWay -= 1;
  await befall("after");
  await life.reached(undefined);
  if ("error" in settled) throw settled.error;
  return settled.value;
}

/** The database as a process sees it that may die, stall and lose connections, and may have so many `places` for each class of work. */
export class MortalDatabase implements Database {
  readonly dialect: Sql["dialect"];
  readonly #base: Database;
  readonly #life: ProcessLife;
  readonly #places: Places | undefined;
  readonly #work: Work;

  constructor(base: Database, life: ProcessLife, places?: Places, work: Work = "reports") {
    this.dialect = base.dialect;
    this.#base = base;
    this.#life = life;
    this.#places = places;
    this.#work = work;
  }

  of(work: Work | "timers"): Database {
    if (!this.#places) return this;
    return new MortalDatabase(this.#base, this.#life, this.#places, work === "timers" ? "turns" : work);
  }

  query<T>(sql: string, params?: readonly unknown[]): Promise<T[]> {
    return this.#inPlace(() => operate(this.#life, sql, () => this.#base.query<T>(sql, params), nothing));
  }

  write(sql: string, params?: readonly unknown[]): Promise<Written> {
    return this.#inPlace(() => operate(this.#life, sql, () => this.#base.write(sql, params), nothing));
  }

  async #inPlace<T>(work: () => Promise<T>): Promise<T> {
    const leave = await this.#places?.take(this.#work);
    try {
      return await work();
    } finally {
      leave?.();
    }
  }

  async begin(): Promise<Transaction> {
    await this.#life.reached(undefined);
    const leave = (await this.#places?.take(this.#work)) ?? (() => {});
    const transaction = new MortalTransaction(await this.#base.begin(), this.#life, leave);
    // Its turn with the one connection of SQLite may have come after the process had ended or stopped.
    if (this.#life.isDead || this.#life.isStalled) await transaction.lose();
    try {
      return await operate(
        this.#life,
        "BEGIN",
        async () => transaction,
        () => transaction.lose(),
      );
    } catch (error) {
      await transaction.lose();
      leave();
      throw error;
    }
  }

  loadApart(table: string, columns: readonly string[], rows: ReadonlyArray<readonly Value[]>): Promise<void> {
    return operate(this.#life, `LOAD ${table}`, () => this.#base.loadApart(table, columns, rows), nothing);
  }

  stream(sql: string, params: readonly unknown[], page: number): RowPages {
    const pages = this.#base.stream(sql, params, page);
    const life = this.#life;
    return {
      next: () => operate(life, sql, () => pages.next(), nothing),
      return: () => pages.return(),
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    const tx = await this.begin();
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

  distrust(): void {}

  refusedWithin(): undefined {}

  async close(): Promise<void> {}
}

class MortalTransaction implements Transaction {
  readonly dialect: Sql["dialect"];
  readonly #base: Transaction;
  readonly #life: ProcessLife;
  readonly #leave: () => void;
  #isOver = false;

  /** `leave` gives its connection back. */
  constructor(base: Transaction, life: ProcessLife, leave: () => void) {
    this.dialect = base.dialect;
    this.#base = base;
    this.#life = life;
    this.#leave = leave;
    life.transactions.add(this);
  }

  get manager(): EntityManager {
    return this.#base.manager;
  }

  allow(statementMs: number): void {
    this.#base.allow(statementMs);
  }

  query<T>(sql: string, params?: readonly unknown[]): Promise<T[]> {
    return this.#operate(sql, () => this.#base.query<T>(sql, params));
  }

  write(sql: string, params?: readonly unknown[]): Promise<Written> {
    return this.#operate(sql, () => this.#base.write(sql, params));
  }

  load(table: string, columns: readonly string[], rows: ReadonlyArray<readonly Value[]>): Promise<void> {
    return this.#operate(`LOAD ${table}`, () => this.#base.load(table, columns, rows));
  }

  async commit(): Promise<void> {
    try {
      await this.#operate("COMMIT", async () => {
        this.#end();
        await this.#base.commit();
      });
    } catch (error) {
      await this.lose();
      throw mayHaveCommitted(error) ? new CommitUnknown("lost", { cause: error }) : error;
    } finally {
      this.#leave();
    }
  }

  async rollback(): Promise<void> {
    await this.#life.reached(undefined);
    await this.lose();
    this.#leave();
    await this.#life.reached(undefined);
  }

  /** The server rolls it back. */
  async lose(): Promise<void> {
    if (this.#isOver) return;
    this.#end();
    await this.#base.rollback();
  }

  #operate<T>(statement: string, work: () => Promise<T>): Promise<T> {
    return operate(
      this.#life,
      statement,
      async () => {
        if (this.#isOver) throw closed();
        return work();
      },
      () => this.lose(),
    );
  }

  #end(): void {
    this.#isOver = true;
    this.#life.transactions.delete(this);
  }
}

async function nothing(): Promise<void> {}
