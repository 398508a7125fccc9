import type { MigrationInterface, QueryRunner } from "typeorm";

/**
 * How often a message could not reach its actor, beside how often it has failed in its hands (`attempts`). A node of the version before
 * counts both in `attempts`, and leaves the column at 0.
 */
export class Unreached20261130140200 implements MigrationInterface {
  readonly name = "Unreached20261130140200";

  async up(runner: QueryRunner): Promise<void> {
    for (const table of ["actor_tells", "actor_dead_letters"])
      await runner.query(`ALTER TABLE ${table} ADD COLUMN unreached INT NOT NULL DEFAULT 0`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ["actor_tells", "actor_dead_letters"])
      await runner.query(`ALTER TABLE ${table} DROP COLUMN unreached`);
  }
}
