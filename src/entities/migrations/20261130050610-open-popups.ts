import type { MigrationInterface, QueryRunner } from "typeorm";
import { hasIndex } from "./ddl.ts";

const TABLE = "popup_windows";
const INDEX = "popup_windows_open";

/** The popup window that is open, without reading those that are over. Databases that are older than this migration have the index of the one before. */
export class OpenPopups20261130050610 implements MigrationInterface {
  readonly name = "OpenPopups20261130050610";

  async up(runner: QueryRunner): Promise<void> {
    if (!(await hasIndex(runner, TABLE, INDEX)))
      await runner.query(`CREATE INDEX ${INDEX} ON ${TABLE} (closed_at, closes_at)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    const on = runner.connection.options.type === "mysql" ? ` ON ${TABLE}` : "";
    if (await hasIndex(runner, TABLE, INDEX)) await runner.query(`DROP INDEX ${INDEX}${on}`);
  }
}
