import { isTaken } from "./failures.ts";
import type { Sql, Value } from "./sql.ts";

/**
 * Inserts the rows whose keys are not taken, and leaves out those whose are. Resolves with how many were inserted. Throws for
 * what does not fit its column, of which MySQL's INSERT IGNORE would store something else. Several rows must be inserted in a
 * transaction, which is then to be rolled back. `computed`: further columns, each with the expression that the database stores in it.
 */
export async function insertNew(
  sql: Sql,
  {
    table,
    columns,
    computed = [],
  }: { table: string; columns: readonly string[]; computed?: ReadonlyArray<[string, string]> },
  rows: ReadonlyArray<readonly Value[]>,
): Promise<number> {
  if (rows.length === 0) return 0;
  const names = [...columns, ...computed.map(([column]) => column)];
  const row = `(${[...columns.map(() => "?"), ...computed.map(([, expression]) => expression)].join(", ")})`;
  const into = `INTO ${table} (${names.join(", ")}) VALUES ${rows.map(() => row).join(", ")}`;
  if (sql.dialect === "sqlite") return (await sql.write(`INSERT ${into} ON CONFLICT DO NOTHING`, rows.flat())).affected;
  return rows.length === 1 ? insertOne(sql, into, rows[0]!) : insertSeveral(sql, into, rows);
}

async function insertOne(sql: Sql, into: string, row: readonly Value[]): Promise<number> {
  try {
    return (await sql.write(`INSERT ${into}`, row)).affected;
  } catch (error) {
    if (isTaken(error)) return 0;
    throw error;
  }
}

/** A row that is left out is one warning; there is none for one that is stored as it is. */
async function insertSeveral(sql: Sql, into: string, rows: ReadonlyArray<readonly Value[]>): Promise<number> {
  const { affected, warnings } = await sql.write(`INSERT IGNORE ${into}`, rows.flat());
  if (warnings !== rows.length - affected)
    throw new Error(`of ${rows.length} rows ${affected} were inserted with ${warnings} warnings: some were changed`);
  return affected;
}
