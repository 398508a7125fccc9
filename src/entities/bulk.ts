import type { Row, RowPages, Sql, Value } from "./sql.ts";

/** Characters of text that are sent at once: far below what a server takes in one packet. */
const CHUNK = 256 * 1024;

/** Rows as LOAD DATA reads them by default: tabs between the columns, a line feed after each row, a backslash before what is special. */
export function* tabSeparated(rows: ReadonlyArray<readonly Value[]>): Generator<Buffer, void, undefined> {
  let text = "";
  for (const row of rows) {
    let separator = "";
    for (const value of row) {
      text += separator + fieldOf(value);
      separator = "\t";
    }
    text += "\n";
    if (text.length < CHUNK) continue;
    yield Buffer.from(text);
    text = "";
  }
  if (text !== "") yield Buffer.from(text);
}

const SPECIAL = /[\\\t\n\r\0]/;
const ESCAPES: Record<string, string> = { "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0" };

function fieldOf(value: Value): string {
  if (value === null) return "\\N";
  if (typeof value === "string")
    return SPECIAL.test(value) ? value.replace(/[\\\t\n\r\0]/g, (character) => ESCAPES[character]!) : value;
  return String(requireFinite(value));
}

/** A statement would make a word of NaN, and a file a number of it. */
function requireFinite(value: number | bigint): number | bigint {
  if (typeof value === "number" && !Number.isFinite(value)) throw new Error(`${value} cannot be stored`);
  return value;
}

/** Inserts rows by statements of at most `most` values each. */
export async function insertAll(
  sql: Pick<Sql, "write">,
  target: { table: string; columns: readonly string[] },
  rows: ReadonlyArray<readonly Value[]>,
  most: number,
): Promise<void> {
  const { table, columns } = target;
  const perStatement = Math.floor(most / columns.length);
  const placeholders = `(${columns.map(() => "?").join(", ")})`;
  for (let from = 0; from < rows.length; from += perStatement) {
    const part = rows.slice(from, from + perStatement);
    const values = part.flat();
    for (const value of values) if (typeof value === "number") requireFinite(value);
    await sql.write(
      `INSERT INTO ${table} (${columns.join(", ")}) VALUES ${part.map(() => placeholders).join(", ")}`,
      values,
    );
  }
}

/** Reads a result by LIMIT and OFFSET; every page is a statement. */
export function pagesByOffset(
  sql: Pick<Sql, "query">,
  statement: string,
  params: readonly unknown[],
  page: number,
): RowPages {
  const pages = readPages(sql, statement, params, page);
  return {
    next: () => pages.next(),
    return: () => pages.return(undefined),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

async function* readPages(
  sql: Pick<Sql, "query">,
  statement: string,
  params: readonly unknown[],
  page: number,
): AsyncGenerator<unknown[][], undefined, undefined> {
  for (let offset = 0; ; offset += page) {
    const rows = await sql.query<object>(`${statement} LIMIT ? OFFSET ?`, [...params, page, offset]);
    if (rows.length > 0) yield rows.map((row) => Object.values(row));
    if (rows.length < page) return undefined;
  }
}

interface Part {
  pages: RowPages;
  rows: Row[];
  at: number;
}

/** Results in the same order, read at the same time and put together in that order. */
export class MergedPages implements RowPages {
  readonly #all: readonly RowPages[];
  readonly #isBefore: (a: Row, b: Row) => boolean;
  readonly #page: number;
  /** Those that have a row; none before the first page. */
  #parts: Part[] | undefined;

  constructor(pages: readonly RowPages[], isBefore: (a: Row, b: Row) => boolean, page: number) {
    this.#all = pages;
    this.#isBefore = isBefore;
    this.#page = page;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Row[], undefined>> {
    const merged: Row[] = [];
    this.#parts ??= await this.#refilled(this.#all.map((pages) => ({ pages, rows: [], at: 0 })));
    while (merged.length < this.#page && this.#parts.length > 0) {
      const first = this.#first(this.#parts);
      merged.push(first.rows[first.at++]!);
      if (first.at === first.rows.length) this.#parts = await this.#refilled(this.#parts);
    }
    return merged.length > 0 ? { done: false, value: merged } : { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<Row[], undefined>> {
    await Promise.all(this.#all.map((pages) => pages.return()));
    return { done: true, value: undefined };
  }

  #first(parts: readonly Part[]): Part {
    let first = parts[0]!;
    for (const part of parts) if (this.#isBefore(part.rows[part.at]!, first.rows[first.at]!)) first = part;
    return first;
  }

  /** The parts that go on, each with a row to come. */
  async #refilled(parts: readonly Part[]): Promise<Part[]> {
    const filled: Part[] = [];
    for (const part of parts) {
      if (part.at < part.rows.length) filled.push(part);
      else {
        const { value } = await part.pages.next();
        if (value) filled.push({ ...part, rows: value, at: 0 });
      }
    }
    return filled;
  }
}
