import type { MigrationInterface, QueryRunner } from "typeorm";

/** The quests that can be started, and the popup window that is open, without reading those that are over. */
export class OpenLists20261130050600 implements MigrationInterface {
  readonly name = "OpenLists20261130050600";

  async up(runner: QueryRunner): Promise<void> {
    await runner.query("CREATE INDEX quests_open ON quests (retired_at, created_at, id)");
    await runner.query("CREATE INDEX popup_windows_open ON popup_windows (closed_at, closes_at)");
  }

  async down(runner: QueryRunner): Promise<void> {
    const on = (table: string): string => (runner.connection.options.type === "mysql" ? ` ON ${table}` : "");
    await runner.query(`DROP INDEX popup_windows_open${on("popup_windows")}`);
    await runner.query(`DROP INDEX quests_open${on("quests")}`);
  }
}
