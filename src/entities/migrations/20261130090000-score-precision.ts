import type { MigrationInterface, QueryRunner } from "typeorm";

/** The digits that a game's scores may have after the point (docs/adr/0042-scores-are-whole-numbers.md). */
export class ScorePrecision20261130090000 implements MigrationInterface {
  readonly name = "ScorePrecision20261130090000";

  async up(runner: QueryRunner): Promise<void> {
    await runner.query("ALTER TABLE games ADD COLUMN score_precision SMALLINT NOT NULL DEFAULT 0");
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query("ALTER TABLE games DROP COLUMN score_precision");
  }
}
