import type { MigrationInterface, QueryRunner } from "typeorm";
import { dialectOf } from "./ddl.ts";

/** Tasks by their keys. Their runs stand beside those of jobs, several of which may be of one time. */
export class Tasks20261130021000 implements MigrationInterface {
  readonly name = "Tasks20261130021000";

  async up(runner: QueryRunner): Promise<void> {
    const { table } = dialectOf(runner);
    await runner.query(`CREATE TABLE tasks (
      job VARCHAR(32) NOT NULL,
      task_key VARCHAR(64) NOT NULL,
      shard SMALLINT NOT NULL,
      args TEXT NOT NULL,
      scheduled_at BIGINT NOT NULL,
      due_at BIGINT NULL,
      attempt INT NOT NULL,
      failures INT NOT NULL,
      deaths INT NOT NULL,
      created_at BIGINT NOT NULL,
      dead_at BIGINT NULL,
      error TEXT NULL,
      ended_at BIGINT NULL,
      PRIMARY KEY (job, task_key)
    ) ${table}`);
    await runner.query("CREATE INDEX tasks_due ON tasks (job, shard, due_at)");
    await runner.query("CREATE INDEX tasks_dead ON tasks (dead_at)");
    await runner.query("CREATE INDEX tasks_ended ON tasks (ended_at)");
    await runner.query("ALTER TABLE job_runs ADD COLUMN task VARCHAR(64) NOT NULL DEFAULT ''");
    await keyRuns(runner, ["job", "scheduled_at", "task"]);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query("DELETE FROM job_runs WHERE task <> ''");
    await keyRuns(runner, ["job", "scheduled_at"]);
    await runner.query("ALTER TABLE job_runs DROP COLUMN task");
    await runner.query("DROP TABLE tasks");
  }
}

const RUN_COLUMNS = `job, scheduled_at, node, epoch, attempt, given_up, started_at, finished_at, lateness_ms, outcome,
  error, result, progress, by_hand, task`;

/** Gives `job_runs` this primary key. SQLite cannot change one: there the table is made anew. */
async function keyRuns(runner: QueryRunner, key: readonly string[]): Promise<void> {
  if (runner.connection.options.type === "mysql") {
    await runner.query(`ALTER TABLE job_runs DROP PRIMARY KEY, ADD PRIMARY KEY (${key.join(", ")})`);
    return;
  }
  await runner.query(`CREATE TABLE job_runs_new (
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
    task VARCHAR(64) NOT NULL DEFAULT '',
    PRIMARY KEY (${key.join(", ")})
  )`);
  await runner.query(`INSERT INTO job_runs_new (${RUN_COLUMNS}) SELECT ${RUN_COLUMNS} FROM job_runs`);
  await runner.query("DROP TABLE job_runs");
  await runner.query("ALTER TABLE job_runs_new RENAME TO job_runs");
  await runner.query("CREATE INDEX job_runs_recent ON job_runs (scheduled_at, job)");
}
