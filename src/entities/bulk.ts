import type { RowPages, Sql, Value } from "./sql.ts";

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
