import type { Sql } from "./sql.ts";

/** What the database's own clock shows, in epoch milliseconds; the embedded one goes by its process's. */
export async function databaseTime(sql: Sql): Promise<number> {
  const [row] = await sql.query<{ told: unknown }>(
    sql.dialect === "mysql"
      ? "SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000 AS told"
      : "SELECT ROUND((julianday('now') - 2440587.5) * 86400000) AS told",
  );
  return Number(row!.told);
}
