import type { Sql } from "../../entities/sql.ts";

const DAY_MS = 86_400_000;

/** The key of a row, by column. */
export type RowKey = Record<string, unknown>;

/** Rows of one kind that are of no use any more. */
export interface Purge {
  /** What the statistics call them. */
  name: string;
  table: string;
  /** Rows a run, give or take a batch, where they are more than of other kinds. */
  mostARun?: number;
  /** The keys of all of them, found by an index a batch at a time. Each batch must be deleted before the next is asked for. */
  batches(sql: Sql, now: number, signal: AbortSignal): AsyncGenerator<RowKey[], void, undefined>;
}

/** Rows a batch, which is a transaction: its locks are short, and its statement is within what SQLite parses. */
export const BATCH = 500;

interface ByAge {
  name: string;
  table: string;
  key: readonly string[];
  /** An indexed column of epoch milliseconds. */
  age: string;
  days: number;
  /** A further condition. */
  only?: string;
}

/** Rows that are older than so many days. */
export function byAge({ name, table, key, age, days, only }: ByAge): Purge {
  const statement = `SELECT ${key.join(", ")} FROM ${table} WHERE ${age} < ? ${only === undefined ? "" : `AND ${only}`}
    ORDER BY ${age} LIMIT ${BATCH}`;
  return {
    name,
    table,
    batches: (sql, now, signal) => untilNone(signal, () => sql.query<RowKey>(statement, [now - days * DAY_MS])),
  };
}

interface Orphans {
  name: string;
  table: string;
  /** Its first column is the parent's id. */
  key: readonly string[];
  parents: string;
  /** What of its `parents` a row is kept for; any unless told. */
  of?: string;
}

/** Rows whose parent is gone, or is not one that they are kept for. Goes from parent to parent along the primary key, so that it reads one row of each that is there. */
export function orphans({ name, table, key, parents, of }: Orphans): Purge {
  const parentId = key[0]!;
  const nextParent = `SELECT children.id AS id, parents.id AS known FROM
    (SELECT MIN(${parentId}) AS id FROM ${table} WHERE ${parentId} > ?) children
    LEFT JOIN ${parents} parents ON parents.id = children.id ${of === undefined ? "" : `AND ${of}`} WHERE children.id IS NOT NULL`;
  const rowsOf = `SELECT ${key.join(", ")} FROM ${table} WHERE ${parentId} = ? LIMIT ${BATCH}`;
  return {
    name,
    table,
    async *batches(sql, _now, signal) {
      for (let after = ""; ; ) {
        signal.throwIfAborted();
        const [next] = await sql.query<{ id: string; known: string | null }>(nextParent, [after]);
        if (next === undefined) return;
        after = next.id;
        if (next.known === null) yield* untilNone(signal, () => sql.query<RowKey>(rowsOf, [after]));
      }
    },
  };
}

/** Asks for keys until there are none. */
export async function* untilNone(
  signal: AbortSignal,
  find: () => Promise<RowKey[]>,
): AsyncGenerator<RowKey[], void, undefined> {
  for (;;) {
    signal.throwIfAborted();
    const keys = await find();
    if (keys.length === 0) return;
    yield keys;
  }
}

/** Deletes exactly these rows, in one statement. Answers how many there were. */
export async function deleteRows(sql: Sql, table: string, keys: readonly RowKey[]): Promise<number> {
  const columns = Object.keys(keys[0]!);
  const one = `(${columns.map((column) => `${column} = ?`).join(" AND ")})`;
  const { affected } = await sql.write(
    `DELETE FROM ${table} WHERE ${Array(keys.length).fill(one).join(" OR ")}`,
    keys.flatMap((key) => columns.map((column) => key[column])),
  );
  return affected;
}
