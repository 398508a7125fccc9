import type { MigrationInterface, QueryRunner } from "typeorm";

/**
 * Since when the result of a hunt or a tournament is held for an operator's review; null while it is not. Nodes of an earlier version do not
 * know it, and pay without waiting.
 */
export class Reviews20261130140100 implements MigrationInterface {
  readonly name = "Reviews20261130140100";

  async up(runner: QueryRunner): Promise<void> {
    for (const table of ["hunts", "tournaments"])
      await runner.query(`ALTER TABLE ${table} ADD COLUMN review_since BIGINT NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ["hunts", "tournaments"]) await runner.query(`ALTER TABLE ${table} DROP COLUMN review_since`);
  }
}
