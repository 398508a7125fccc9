import type { MigrationInterface, QueryRunner } from "typeorm";

/** Actors of which a timer keeps failing are found by when it did so last. */
export class FailingTimers20261130020100 implements MigrationInterface {
  readonly name = "FailingTimers20261130020100";

  async up(runner: QueryRunner): Promise<void> {
    await runner.query("ALTER TABLE actors ADD COLUMN failing_at BIGINT NULL");
    await runner.query("CREATE INDEX actors_failing ON actors (failing_at)");
  }

  async down(runner: QueryRunner): Promise<void> {
    const on = runner.connection.options.type === "mysql" ? " ON actors" : "";
    await runner.query(`DROP INDEX actors_failing${on}`);
    await runner.query("ALTER TABLE actors DROP COLUMN failing_at");
  }
}
