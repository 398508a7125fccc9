import type { MigrationInterface, QueryRunner } from "typeorm";

/**
 * Finds what is old of `event_changes`. The table stays, since nodes of the version before write into it and read it; from now on what is
 * in it grows old and goes.
 */
export class EventChangeAges20261130150100 implements MigrationInterface {
  readonly name = "EventChangeAges20261130150100";

  async up(runner: QueryRunner): Promise<void> {
    await runner.query("CREATE INDEX event_changes_age ON event_changes (changed_at)");
  }

  async down(runner: QueryRunner): Promise<void> {
    const on = runner.connection.options.type === "mysql" ? " ON event_changes" : "";
    await runner.query(`DROP INDEX event_changes_age${on}`);
  }
}
