import { crc32 } from "node:zlib";
import type { MigrationInterface, QueryRunner } from "typeorm";

/** Rows given their slots at once. */
const PAGE = 1000;

/**
 * The slot of an actor (`slotOf` in `src/actors/runtime/placement.ts`): nodes that look for due actors read those of their own slots. The
 * index takes the place of the one by due time alone, so that a turn keeps as many indexes as before.
 */
export class ActorSlots20261130040000 implements MigrationInterface {
  readonly name = "ActorSlots20261130040000";

  async up(runner: QueryRunner): Promise<void> {
    if (runner.connection.options.type === "mysql") {
      // A node of the version before makes rows without naming the column.
      await runner.query(
        "ALTER TABLE actors ADD COLUMN slot SMALLINT NOT NULL DEFAULT (CRC32(CONCAT(kind, '/', id)) & 511)",
      );
    } else {
      await runner.query("ALTER TABLE actors ADD COLUMN slot SMALLINT NOT NULL DEFAULT 0");
      await giveSlots(runner);
    }
    await runner.query("CREATE INDEX actors_slot ON actors (owner, slot, due_at)");
    await runner.query(`DROP INDEX actors_due${runner.connection.options.type === "mysql" ? " ON actors" : ""}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query("CREATE INDEX actors_due ON actors (owner, due_at)");
    await runner.query(`DROP INDEX actors_slot${runner.connection.options.type === "mysql" ? " ON actors" : ""}`);
    await runner.query("ALTER TABLE actors DROP COLUMN slot");
  }
}

/** SQLite has no CRC-32 of its own. */
async function giveSlots(runner: QueryRunner): Promise<void> {
  for (let after = { kind: "", id: "" }; ; ) {
    const page: Array<{ kind: string; id: string }> = await runner.query(
      `SELECT kind, id FROM actors WHERE (kind, id) > (?, ?) ORDER BY kind, id LIMIT ${PAGE}`,
      [after.kind, after.id],
    );
    for (const { kind, id } of page) {
      const slot = crc32(`${kind}/${id}`) & 511;
      await runner.query("UPDATE actors SET slot = ? WHERE kind = ? AND id = ?", [slot, kind, id]);
    }
    if (page.length < PAGE) return;
    after = page.at(-1)!;
  }
}
