import { Readable } from "node:stream";
import { type Connection, type ConnectionOptions, createConnection, type ResultSetHeader } from "mysql2";
import { systemClock } from "../clock.ts";
import { insertAll, tabSeparated } from "./bulk.ts";
import { edgeError } from "./failures.ts";
import { CONNECTION, discard, type Send, SQL_MODE, writtenBy } from "./MysqlConnection.ts";
import type { Row, RowPages, Value } from "./sql.ts";

/** Full pages that wait to be taken before the server is made to wait. */
const PAGES_AHEAD = 1;
/** Values of one INSERT, where LOAD DATA is not allowed: some thousand rows. */
const VALUES_PER_INSERT = 30_000;
/** What the statement calls its file. There is none: whatever file the server names, it is sent these rows. */
const FILE = "rows";
/** How long whoever reads a stream may take for a page before the server gives it up. */
const STREAM_PAUSE_SECONDS = 600;
const CONNECT_MS = 5000;
/** How long the server may take for a page; the first one comes when all rows are sorted, some millions a minute. */
const LONGEST_PAGE_MS = 300_000;
const STREAM_SORT_BYTES = 32 * 2 ** 20;
/** A long result is sorted with more memory than most, and may be read with pauses longer than a server otherwise waits. */
const STREAM_SESSION = `SET SESSION sql_mode = '${SQL_MODE}', sort_buffer_size = ${STREAM_SORT_BYTES}, net_write_timeout = ${STREAM_PAUSE_SECONDS}`;
/** The server, or this client, does not take LOAD DATA LOCAL. */
const REFUSALS = new Set([1148, 3948, 4166]);

/** Loads rows by LOAD DATA LOCAL where the server allows it, which is asked once. */
export class BulkLoader {
  #isAllowed: boolean | undefined;

  async load(
    send: Send,
    target: { table: string; columns: readonly string[] },
    rows: ReadonlyArray<readonly Value[]>,
  ): Promise<void> {
    if (rows.length === 0) return;
    this.#isAllowed ??=
      Number((await send<{ allowed: unknown }[]>("SELECT @@local_infile AS allowed"))[0]?.allowed) === 1;
    if (this.#isAllowed) {
      try {
        return await this.#loadData(send, target, rows);
      } catch (error) {
        if (!REFUSALS.has((error as { errno?: number }).errno ?? 0)) throw error;
        this.#isAllowed = false;
      }
    }
    await insertAll({ write: (sql, params) => writtenBy(send, sql, params) }, target, rows, VALUES_PER_INSERT);
  }

  async #loadData(
    send: Send,
    { table, columns }: { table: string; columns: readonly string[] },
    rows: ReadonlyArray<readonly Value[]>,
  ): Promise<void> {
    const { affectedRows, warningStatus, info } = await send<ResultSetHeader>({
      sql: `LOAD DATA LOCAL INFILE '${FILE}' INTO TABLE ${table} CHARACTER SET utf8mb4 (${columns.join(", ")})`,
      infileStreamFactory: () => Readable.from(tabSeparated(rows)),
    });
    // The server cannot stop a client that is sending: it leaves out or bends what does not fit, and only warns.
    if (affectedRows !== rows.length || warningStatus !== 0)
      throw new Error(`of ${rows.length} rows for ${table}, some were not stored as they are: ${info}`);
  }
}

/** The rows of one statement on a connection of its own. The server is made to wait for whoever reads, and ends with the connection. */
export class MysqlPages implements RowPages {
  readonly #connection: Connection;
  readonly #full: Row[][] = [];
  #filling: Row[] = [];
  #isOver = false;
  #failure: unknown;
  #wake: () => void = () => {};

  constructor(options: ConnectionOptions, query: { sql: string; values: readonly unknown[]; page: number }) {
    this.#connection = createConnection({ ...options, ...CONNECTION, connectTimeout: CONNECT_MS });
    // mysql2 tells of a lost connection here, and not where rows are awaited.
    this.#connection.on("error", (error) => this.#end(error));
    this.#connection.query(STREAM_SESSION, (error) => error && this.#end(error));
    const rows = this.#connection.query({ sql: query.sql, values: [...query.values], rowsAsArray: true });
    rows.on("result", (row: Row) => this.#add(row, query.page));
    rows.on("error", (error) => this.#end(error));
    rows.on("end", () => this.#end(undefined));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Row[], undefined>> {
    for (;;) {
      const page = this.#full.shift();
      if (page) {
        if (this.#full.length < PAGES_AHEAD) this.#connection.resume();
        return { done: false, value: page };
      }
      if (this.#failure) throw this.#failure;
      if (this.#isOver) return { done: true, value: undefined };
      const late = systemClock.schedule(
        () => this.#end(edgeError("STATEMENT_TIMEOUT", "the database has not answered in time")),
        LONGEST_PAGE_MS,
      );
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      late();
    }
  }

  async return(): Promise<IteratorResult<Row[], undefined>> {
    this.#full.length = 0;
    this.#filling = [];
    this.#end(undefined);
    return { done: true, value: undefined };
  }

  #add(row: Row, page: number): void {
    if (this.#isOver) return;
    this.#filling.push(row);
    if (this.#filling.length < page) return;
    this.#full.push(this.#filling);
    this.#filling = [];
    if (this.#full.length >= PAGES_AHEAD) this.#connection.pause();
    this.#wake();
  }

  #end(failure: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#failure = failure;
    if (this.#filling.length > 0 && failure === undefined) this.#full.push(this.#filling);
    discard(this.#connection);
    this.#wake();
  }
}
