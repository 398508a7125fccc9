import type { Sql } from "./sql.ts";

/** What the database's own clock shows, in epoch milliseconds; the embedded one goes by its process's. */
export async function databaseTime(sql: Sql): Promise<number> {
  const [row] = await sql.query<{ told: unknown }>(`SELECT ${databaseTimeIn(sql.dialect)} AS told`);
  return Number(row!.told);
}

/**
 * The same in microseconds, as an expression: in order also for what follows within a millisecond, and exact in a double until 2255.
 * In the embedded database it never shows a time that it has shown or gone past in this process.
 */
export function databaseMicrosIn(dialect: Sql["dialect"]): string {
  return dialect === "mysql" ? "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))" : `${EMBEDDED_MICROS}()`;
}

/** The function of the embedded database that tells its process's time. */
export const EMBEDDED_MICROS = "process_micros";

/** An ever later time of this process, in epoch microseconds. */
export function processMicros(): number {
  lastMicros = Math.max(lastMicros + 1, Math.floor((performance.timeOrigin + performance.now()) * 1000));
  return lastMicros;
}

let lastMicros = 0;

/** The database's time in milliseconds as an expression, for a query that is made anyway. */
export function databaseTimeIn(dialect: Sql["dialect"]): string {
  return dialect === "mysql"
    ? "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000"
    : "ROUND((julianday('now') - 2440587.5) * 86400000)";
}
