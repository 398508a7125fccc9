import { Readable } from "node:stream";
import {
  type Connection,
  type ConnectionOptions,
  createConnection,
  type QueryOptions,
  type ResultSetHeader,
} from "mysql2";
import { insertAll, tabSeparated } from "./bulk.ts";
import type { Row, RowPages, Sql, Value, Written } from "./sql.ts";

/** Full pages that wait to be taken before the server is made to wait. */
const PAGES_AHEAD = 1;
/** Values of one INSERT, where LOAD DATA is not allowed: some thousand rows. */
const VALUES_PER_INSERT = 30_000;
/** What the statement calls its file. There is none: whatever file the server names, it is sent these rows. */
const FILE = "rows";
/** The server, or this client, does not take LOAD DATA LOCAL. */
const REFUSALS = new Set([1148, 3948, 4166]);

type Send = <T>(query: string | QueryOptions, params?: readonly unknown[]) => Promise<T>;

/** Loads rows by LOAD DATA LOCAL where the server allows it, which is asked once. */
export class BulkLoader {
  #isAllowed: boolean | undefined;

  async load(
    sql: Pick<Sql, "write">,
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
    await insertAll(sql, target, rows, VALUES_PER_INSERT);
  }

  /** The same on a connection that is opened for it, and without a transaction: what fails may have stored some of the rows. */
  async loadApart(
    options: ConnectionOptions,
    prepare: (connection: Connection) => void,
    target: { table: string; columns: readonly string[] },
    rows: ReadonlyArray<readonly Value[]>,
  ): Promise<void> {
    const connection = createConnection(options);
    // Whoever waits for a statement is told of a lost connection, too.
    connection.on("error", () => {});
    prepare(connection);
    const send: Send = (query, params = []) =>
      new Promise((resolve, reject) => {
        const sent = typeof query === "string" ? { sql: query } : query;
        connection.query(sent, params as unknown[], (error, result) =>
          error ? reject(error) : resolve(result as never),
        );
      });
    const write = async (sql: string, params?: readonly unknown[]): Promise<Written> => {
      const { affectedRows, insertId } = await send<ResultSetHeader>(sql, params);
      return { affected: affectedRows, insertId };
    };
    try {
      await this.load({ write }, send, target, rows);
    } finally {
      connection.destroy();
    }
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

  constructor(
    options: ConnectionOptions,
    prepare: (connection: Connection) => void,
    query: { sql: string; values: readonly unknown[]; page: number },
  ) {
    this.#connection = createConnection(options);
    // mysql2 tells of a lost connection here, and not where rows are awaited.
    this.#connection.on("error", (error) => this.#end(error));
    prepare(this.#connection);
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
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
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
    this.#connection.destroy();
    this.#wake();
  }
}
