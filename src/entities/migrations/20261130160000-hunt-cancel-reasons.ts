import type { MigrationInterface, QueryRunner } from "typeorm";

/** Why a hunt was cancelled, for whoever took part; null where nobody said. */
export class HuntCancelReasons20261130160000 implements MigrationInterface {
  readonly name = "HuntCancelReasons20261130160000";

  async up(runner: QueryRunner): Promise<void> {
    await runner.query("ALTER TABLE hunts ADD COLUMN cancel_reason VARCHAR(800) NULL");
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query("ALTER TABLE hunts DROP COLUMN cancel_reason");
  }
}
