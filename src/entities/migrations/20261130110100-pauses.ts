import type { MigrationInterface, QueryRunner } from "typeorm";

/**
 * How often hunts and tournaments were paused and resumed (odd while they are paused), and how that stands as JSON. Nodes of an earlier
 * version do not know it, and go on committing.
 */
export class Pauses20261130110100 implements MigrationInterface {
  readonly name = "Pauses20261130110100";

  async up(runner: QueryRunner): Promise<void> {
    for (const table of ["hunts", "tournaments"]) {
      await runner.query(`ALTER TABLE ${table} ADD COLUMN pauses INT NOT NULL DEFAULT 0`);
      await runner.query(`ALTER TABLE ${table} ADD COLUMN pausing VARCHAR(256) NULL`);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ["hunts", "tournaments"])
      for (const column of ["pausing", "pauses"]) await runner.query(`ALTER TABLE ${table} DROP COLUMN ${column}`);
  }
}
