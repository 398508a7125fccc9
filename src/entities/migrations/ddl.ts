import type { QueryRunner } from "typeorm";

/** What differs between the two dialects' DDL. Text compares byte by byte in both: ids are ids. */
export function dialectOf(runner: QueryRunner): { table: string; autoId: string } {
  return runner.connection.options.type === "mysql"
    ? {
        table: "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
        autoId: "BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY",
      }
    : { table: "", autoId: "INTEGER PRIMARY KEY AUTOINCREMENT" };
}

/**
 * Adds those of the columns (`["pauses INT NOT NULL DEFAULT 0"]`) that a table does not have, where there is the table: another domain's may
 * not be there, and an older migration may have added them.
 */
export async function addColumns(runner: QueryRunner, table: string, columns: readonly string[]): Promise<void> {
  if (!(await runner.hasTable(table))) return;
  for (const column of columns)
    if (!(await runner.hasColumn(table, column.split(" ", 1)[0]!)))
      await runner.query(`ALTER TABLE ${table} ADD COLUMN ${column}`);
}

/** Takes those of the columns (`["pauses"]`) away that a table has, where there is the table. */
export async function dropColumns(runner: QueryRunner, table: string, columns: readonly string[]): Promise<void> {
  if (!(await runner.hasTable(table))) return;
  for (const column of columns)
    if (await runner.hasColumn(table, column)) await runner.query(`ALTER TABLE ${table} DROP COLUMN ${column}`);
}

/** Whether a table has an index of this name. */
export async function hasIndex(runner: QueryRunner, table: string, index: string): Promise<boolean> {
  const rows: unknown[] =
    runner.connection.options.type === "mysql"
      ? await runner.query(
          "SELECT 1 FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = ? AND index_name = ?",
          [table, index],
        )
      : await runner.query("SELECT 1 FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND name = ?", [
          table,
          index,
        ]);
  return rows.length > 0;
}

/** Creates a table for an `EventTable`, with the indexes by which its lists are read. */
export async function createEventTable(runner: QueryRunner, name: string): Promise<void> {
  await runner.query(`CREATE TABLE ${name} (
    id VARCHAR(32) NOT NULL PRIMARY KEY,
    name VARCHAR(128) NOT NULL,
    phase VARCHAR(16) NOT NULL,
    starts_at BIGINT NOT NULL,
    phase_ends_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    definition TEXT NOT NULL
  ) ${dialectOf(runner).table}`);
  for (const time of ["starts_at", "ends_at"])
    await runner.query(`CREATE INDEX ${name}_by_${time} ON ${name} (phase, ${time}, id)`);
}
