import type { MigrationInterface, QueryRunner } from "typeorm";

/** For how long an actor had been in hand when the node died. A node of the version before leaves it out. */
export class BlameAges20261130130000 implements MigrationInterface {
  readonly name = "BlameAges20261130130000";

  async up(runner: QueryRunner): Promise<void> {
    await runner.query("ALTER TABLE actor_blame ADD COLUMN age_ms INT NULL");
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query("ALTER TABLE actor_blame DROP COLUMN age_ms");
  }
}
