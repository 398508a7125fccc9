import type { MigrationInterface, QueryRunner } from "typeorm";

/** The rank to which each player came in a hunt that is over; null in hunts that an earlier version has counted. */
export class HuntPlaces20261130120000 implements MigrationInterface {
  readonly name = "HuntPlaces20261130120000";

  async up(runner: QueryRunner): Promise<void> {
    await runner.query("ALTER TABLE hunt_results ADD COLUMN place INT NULL");
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query("ALTER TABLE hunt_results DROP COLUMN place");
  }
}
