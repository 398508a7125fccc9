import type { Sql } from "../sql.ts";

/** SQLite joins at most 500. */
const MOST_JOINED = 100;

/**
 * The first row of a select for each of these parameters, at their positions; `undefined` where there is none. `select` is what
 * comes after the word: its columns, and all up to its order; or what makes that of a position. All of them are one query, up to a hundred.
 */
export async function firstOfEach<T>(
  sql: Sql,
  select: string | ((at: number) => string),
  parameters: ReadonlyArray<readonly unknown[]>,
): Promise<Array<T | undefined>> {
  const found = Array<T | undefined>(parameters.length).fill(undefined);
  for (let from = 0; from < parameters.length; from += MOST_JOINED) {
    const joined = parameters.slice(from, from + MOST_JOINED);
    const selects = joined.map((_, at) => {
      const own = typeof select === "string" ? select : select(from + at);
      return `SELECT * FROM (SELECT ${from + at} AS nth, ${own} LIMIT 1) first_${at}`;
    });
    const rows = await sql.query<T & { nth: unknown }>(selects.join(" UNION ALL "), joined.flat());
    for (const row of rows) found[Number(row.nth)] = row;
  }
  return found;
}
