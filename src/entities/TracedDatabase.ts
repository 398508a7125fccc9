import type { Span } from "@opentelemetry/api";
import type { EntityManager } from "typeorm";
import { inSpan, openSpan, type SpanStart } from "../tracing.ts";
import {
  type Database,
  inTransaction,
  type RowPages,
  type Transaction,
  type Value,
  type Work,
  type Written,
} from "./sql.ts";

/**
 * The database with a span for each transaction, and for each statement outside of one. A transaction's span begins when it is asked for, tells
 * (`connected`) when it got its connection, and names each statement as it begins: what it does and to which table, and nothing of its text.
 */
export class TracedDatabase implements Database {
  readonly dialect: "mysql" | "sqlite";
  readonly #database: Database;
  readonly #work: Work | "timers";

  constructor(database: Database, work: Work | "timers" = "reports") {
    this.#database = database;
    this.#work = work;
    this.dialect = database.dialect;
  }

  of(work: Work | "timers"): Database {
    return new TracedDatabase(this.#database.of(work), work);
  }

  query<T>(sql: string, params?: readonly unknown[]): Promise<T[]> {
    return inSpan(
      this.#span(() => summaryOf(sql)),
      () => this.#database.query<T>(sql, params),
    );
  }

  write(sql: string, params?: readonly unknown[]): Promise<Written> {
    return inSpan(
      this.#span(() => summaryOf(sql)),
      () => this.#database.write(sql, params),
    );
  }

  async begin(): Promise<Transaction> {
    const span = openSpan(this.#span(() => "transaction"));
    if (span === undefined) return this.#database.begin();
    try {
      const transaction = await this.#database.begin();
      span.addEvent("connected");
      return new TracedTransaction(transaction, span);
    } catch (error) {
      ended(span, error);
      throw error;
    }
  }

  stream(sql: string, params: readonly unknown[], page: number): RowPages {
    return this.#database.stream(sql, params, page);
  }

  loadApart(table: string, columns: readonly string[], rows: ReadonlyArray<readonly Value[]>): Promise<void> {
    return inSpan(
      this.#span(() => `LOAD ${table}`),
      () => this.#database.loadApart(table, columns, rows),
    );
  }

  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return inTransaction(this, work);
  }

  distrust(): void {
    this.#database.distrust();
  }

  refusedWithin(ms: number): unknown {
    return this.#database.refusedWithin(ms);
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  #span(name: () => string): () => SpanStart {
    return () => ({
      name: `SQL ${name()}`,
      kind: "CLIENT",
      attributes: { "db.system.name": this.dialect, "ringmaster.work": this.#work },
    });
  }
}

class TracedTransaction implements Transaction {
  readonly dialect: "mysql" | "sqlite";
  readonly #transaction: Transaction;
  readonly #span: Span;

  constructor(transaction: Transaction, span: Span) {
    this.#transaction = transaction;
    this.#span = span;
    this.dialect = transaction.dialect;
  }

  get manager(): EntityManager {
    return this.#transaction.manager;
  }

  allow(statementMs: number): void {
    this.#transaction.allow(statementMs);
  }

  query<T>(sql: string, params?: readonly unknown[]): Promise<T[]> {
    this.#span.addEvent(summaryOf(sql));
    return this.#noted(this.#transaction.query<T>(sql, params));
  }

  write(sql: string, params?: readonly unknown[]): Promise<Written> {
    this.#span.addEvent(summaryOf(sql));
    return this.#noted(this.#transaction.write(sql, params));
  }

  load(table: string, columns: readonly string[], rows: ReadonlyArray<readonly Value[]>): Promise<void> {
    this.#span.addEvent(`LOAD ${table}`);
    return this.#noted(this.#transaction.load(table, columns, rows));
  }

  /** A statement that fails says why in the transaction's span, whatever is done about it. */
  #noted<T>(statement: Promise<T>): Promise<T> {
    statement.catch((error: unknown) => this.#span.setAttribute("error.type", typeOf(error)));
    return statement;
  }

  async commit(): Promise<void> {
    this.#span.addEvent("COMMIT");
    try {
      await this.#transaction.commit();
      this.#span.end();
    } catch (error) {
      ended(this.#span, error);
      throw error;
    }
  }

  async rollback(): Promise<void> {
    await this.#transaction.rollback();
    if (!this.#span.isRecording()) return;
    this.#span.addEvent("ROLLBACK");
    this.#span.end();
  }
}

/** What a statement does, and to which table it does it first: `UPDATE actors`. */
function summaryOf(sql: string): string {
  const [, verb = ""] = /^\s*(\w+)/.exec(sql) ?? [];
  const [, table = ""] = /\b(?:FROM|INTO|UPDATE)\s+(?:IGNORE\s+)?([a-z]\w*)/.exec(sql) ?? [];
  return `${verb} ${table}`.trim();
}

function ended(span: Span, error: unknown): void {
  span.setAttribute("error.type", typeOf(error));
  span.end();
}

/** Its code, or its class: a message has parameters. */
function typeOf(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: string };
  return typeof code === "string" ? code : (name ?? "unknown");
}
