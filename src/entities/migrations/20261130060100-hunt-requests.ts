import type { MigrationInterface, QueryRunner } from "typeorm";

/** By which requests the answers to an assignment came: a repeat gets the first answer. */
export class HuntRequests20261130060100 implements MigrationInterface {
  readonly name = "HuntRequests20261130060100";

  async up(runner: QueryRunner): Promise<void> {
    // A node of the version before makes rows without naming the column.
    await runner.query("ALTER TABLE hunt_assignments ADD COLUMN request_marks VARCHAR(160) NOT NULL DEFAULT ''");
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query("ALTER TABLE hunt_assignments DROP COLUMN request_marks");
  }
}
