import type { MigrationInterface, QueryRunner } from "typeorm";
import { dialectOf } from "./ddl.ts";

/** Hunts, and the assignments that the clue ledger commits. */
export class Hunts20261121000100 implements MigrationInterface {
  readonly name = "Hunts20261121000100";

  async up(runner: QueryRunner): Promise<void> {
    const { table } = dialectOf(runner);
    await runner.query(`CREATE TABLE hunts (
      id VARCHAR(32) NOT NULL PRIMARY KEY,
      name VARCHAR(128) NOT NULL,
      phase VARCHAR(16) NOT NULL,
      starts_at BIGINT NOT NULL,
      phase_ends_at BIGINT NOT NULL,
      ends_at BIGINT NOT NULL,
      ledger_epoch BIGINT NOT NULL,
      definition MEDIUMTEXT NOT NULL,
      winners MEDIUMTEXT NULL,
      created_by VARCHAR(32) NOT NULL,
      created_at BIGINT NOT NULL,
      updated_at BIGINT NOT NULL
    ) ${table}`);
    await runner.query("CREATE INDEX hunts_recent ON hunts (ends_at, id)");
    await runner.query(`CREATE TABLE hunt_assignments (
      hunt_id VARCHAR(32) NOT NULL,
      instance INT NOT NULL,
      generation INT NOT NULL,
      player_id VARCHAR(32) NOT NULL,
      player_name VARCHAR(64) NOT NULL,
      opened_at BIGINT NOT NULL,
      expires_at BIGINT NOT NULL,
      attempts_used INT NOT NULL,
      outcome SMALLINT NOT NULL,
      closed_at BIGINT NOT NULL,
      points INT NOT NULL,
      solve_seq BIGINT NOT NULL,
      PRIMARY KEY (hunt_id, instance, generation)
    ) ${table}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const name of ["hunt_assignments", "hunts"]) await runner.query(`DROP TABLE ${name}`);
  }
}
