import type { Sql } from "./sql.ts";

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
