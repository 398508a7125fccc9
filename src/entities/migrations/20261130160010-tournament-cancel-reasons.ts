import type { MigrationInterface, QueryRunner } from "typeorm";

/** Why a tournament was cancelled, for whoever took part; null where nobody said. */
export class TournamentCancelReasons20261130160010 implements MigrationInterface {
  readonly name = "TournamentCancelReasons20261130160010";

  async up(runner: QueryRunner): Promise<void> {
    await runner.query("ALTER TABLE tournaments ADD COLUMN cancel_reason VARCHAR(800) NULL");
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query("ALTER TABLE tournaments DROP COLUMN cancel_reason");
  }
}
