import type { MigrationInterface, QueryRunner } from "typeorm";

/** Whether more or less is better in a game: what pools and rankings go by. */
export class ScoreOrder20261130050300 implements MigrationInterface {
  readonly name = "ScoreOrder20261130050300";

  async up(runner: QueryRunner): Promise<void> {
    await runner.query("ALTER TABLE games ADD COLUMN score_order VARCHAR(4) NOT NULL DEFAULT 'desc'");
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query("ALTER TABLE games DROP COLUMN score_order");
  }
}
