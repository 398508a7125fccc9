import type { MigrationInterface, QueryRunner } from "typeorm";

/** The quests that can be started, without reading those that are over. */
export class OpenLists20261130050600 implements MigrationInterface {
  readonly name = "OpenLists20261130050600";

  async up(runner: QueryRunner): Promise<void> {
    await runner.query("CREATE INDEX quests_open ON quests (retired_at, created_at, id)");
  }

  async down(runner: QueryRunner): Promise<void> {
    const on = runner.connection.options.type === "mysql" ? " ON quests" : "";
    await runner.query(`DROP INDEX quests_open${on}`);
  }
}
