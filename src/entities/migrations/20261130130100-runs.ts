import type { MigrationInterface, QueryRunner } from "typeorm";

/**
 * Whether each score of a game must come of a run that was begun. Snake requires it: its check plays the run again. Tournaments that
 * exist keep their terms.
 */
export class Runs20261130130100 implements MigrationInterface {
  readonly name = "Runs20261130130100";

  async up(runner: QueryRunner): Promise<void> {
    await runner.query("ALTER TABLE games ADD COLUMN runs VARCHAR(8) NOT NULL DEFAULT 'optional'");
    await runner.query("UPDATE games SET runs = 'required' WHERE id = 'snake'");
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query("ALTER TABLE games DROP COLUMN runs");
  }
}
