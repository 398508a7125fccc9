import type { MigrationInterface, QueryRunner } from "typeorm";

/**
 * Which version of its kind's code an actor's state is of (a node of the version before writes states of version 1), and what a request id
 * was used for: rows of before say nothing of that.
 */
export class ActorVersions20261130170000 implements MigrationInterface {
  readonly name = "ActorVersions20261130170000";

  async up(runner: QueryRunner): Promise<void> {
    await runner.query("ALTER TABLE actors ADD COLUMN state_version INT NOT NULL DEFAULT 1");
    await runner.query("ALTER TABLE actor_requests ADD COLUMN digest VARCHAR(44)");
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query("ALTER TABLE actor_requests DROP COLUMN digest");
    await runner.query("ALTER TABLE actors DROP COLUMN state_version");
  }
}
