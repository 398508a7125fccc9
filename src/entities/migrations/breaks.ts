import type { MigrationInterface, QueryRunner } from "typeorm";

/**
 * A migration that nodes of the version before may not live beside. All others only add what those need not know, and what is of no use
 * any more goes in a later version (docs/adr/0032-versions-side-by-side.md).
 */
export interface BreakingMigration extends MigrationInterface {
  /** What such a node would do wrong once this has run, by what the database holds; undefined: nothing. */
  breaks(runner: QueryRunner): Promise<string | undefined>;
}

/** What nodes of the version before would do wrong once all of `migrations` have run that have not yet; they have never run here: nothing. */
export async function whatBreaks(migrations: readonly MigrationInterface[], runner: QueryRunner): Promise<string[]> {
  if (!(await runner.hasTable("migrations"))) return [];
  const rows: Array<{ name: string }> = await runner.query("SELECT name FROM migrations");
  const done = new Set(rows.map(({ name }) => name));
  if (done.size === 0) return [];
  const reasons: string[] = [];
  for (const migration of migrations) {
    if (done.has(migration.name!) || !("breaks" in migration)) continue;
    const reason = await (migration as BreakingMigration).breaks(runner);
    if (reason !== undefined) reasons.push(reason);
  }
  return reasons;
}
