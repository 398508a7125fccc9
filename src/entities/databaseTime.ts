import type { Sql } from "./sql.ts";

/**
 * How far ahead of the database's clock, in milliseconds, a moment may be that is taken for now. Less than `SETTLED_MS`: what is
 * taken to have been over for that long is over then.
 */
export const MOST_AHEAD_MS = 5000;

/** What the database's own clock shows, in epoch milliseconds; the embedded one goes by its process's. */
export async function databaseTime(sql: Sql): Promise<number> {
  const [row] = await sql.query<{ told: unknown }>(`SELECT ${databaseTimeIn(sql.dialect)} AS told`);
  return Number(row!.told);
}

/** The same as an expression, for a query that is made anyway. */
export function databaseTimeIn(dialect: Sql["dialect"]): string {
  return dialect === "mysql"
    ? "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000"
    : "ROUND((julianday('now') - 2440587.5) * 86400000)";
}
