import type { MigrationInterface, QueryRunner } from "typeorm";
import { dialectOf } from "./ddl.ts";

/** Global jobs: a glance a job, and a row for each due time. */
export class Jobs20261121000200 implements MigrationInterface {
  readonly name = "Jobs20261121000200";

  async up(runner: QueryRunner): Promise<void> {
    const { table } = dialectOf(runner);
    await runner.query(`CREATE TABLE jobs (
      name VARCHAR(32) NOT NULL PRIMARY KEY,
      schedule VARCHAR(128) NOT NULL,
      timezone VARCHAR(64) NOT NULL,
      enabled SMALLINT NOT NULL,
      paused SMALLINT NOT NULL,
      quarantined SMALLINT NOT NULL,
      next_run_at BIGINT NULL,
      skip_at BIGINT NULL,
      runs BIGINT NOT NULL,
      successes BIGINT NOT NULL,
      failures BIGINT NOT NULL,
      running_on VARCHAR(32) NULL,
      last_scheduled_at BIGINT NULL,
      last_dead_at BIGINT NULL
    ) ${table}`);
    await runner.query(`CREATE TABLE job_runs (
      job VARCHAR(32) NOT NULL,
      scheduled_at BIGINT NOT NULL,
      node VARCHAR(32) NULL,
      epoch BIGINT NULL,
      attempt INT NOT NULL,
      given_up INT NULL,
      started_at BIGINT NULL,
      finished_at BIGINT NULL,
      lateness_ms BIGINT NULL,
      outcome VARCHAR(16) NOT NULL,
      error TEXT NULL,
      result MEDIUMTEXT NULL,
      progress TEXT NULL,
      by_hand SMALLINT NOT NULL,
      PRIMARY KEY (job, scheduled_at)
    ) ${table}`);
    await runner.query("CREATE INDEX job_runs_recent ON job_runs (scheduled_at, job)");
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const name of ["job_runs", "jobs"]) await runner.query(`DROP TABLE ${name}`);
  }
}
