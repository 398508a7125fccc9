import type { MigrationInterface, QueryRunner } from "typeorm";

/**
 * What an assignment begins with: its player's wrong answers to the same template before. Those of hunts that are under way begin
 * with none.
 */
export class HuntFairness20261130060000 implements MigrationInterface {
  readonly name = "HuntFairness20261130060000";

  async up(runner: QueryRunner): Promise<void> {
    // A node of the version before makes rows without naming the column.
    await runner.query("ALTER TABLE hunt_assignments ADD COLUMN attempts_before INT NOT NULL DEFAULT 0");
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query("ALTER TABLE hunt_assignments DROP COLUMN attempts_before");
  }
}
