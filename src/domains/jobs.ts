import { Jobs20261121000200 } from "../entities/migrations/20261121000200-jobs.ts";
import { Tasks20261130021000 } from "../entities/migrations/20261130021000-tasks.ts";
import { JOB_COMMANDS, JOB_QUERIES } from "../operations/jobs.ts";
import { byAge } from "../schedulers/retention/purges.ts";
import { defineDomain } from "./runtime/Domain.ts";

/** How long the runs of jobs stay in their history, in days. Each job's last run, and the last that failed for good, stay. */
export const JOB_RUN_DAYS = 30;
/** How long the key of a task that is over stays known, in days: enqueued again by then, it is not run again. */
export const TASK_DAYS = 30;

/** The jobs and tasks of all domains: what is kept of their runs, and what operators see and do of them. */
export const jobs = defineDomain({
  name: "jobs",
  runtime: "jobs",
  migrations: [Jobs20261121000200, Tasks20261130021000],
  retention: [
    {
      ...byAge({
        name: "jobRuns",
        table: "job_runs",
        key: ["job", "scheduled_at", "task"],
        age: "scheduled_at",
        days: JOB_RUN_DAYS,
        only: `outcome IN ('succeeded', 'dead', 'skipped') AND NOT EXISTS (SELECT 1 FROM jobs
        WHERE jobs.name = job_runs.job AND (jobs.last_scheduled_at = job_runs.scheduled_at OR jobs.last_dead_at = job_runs.scheduled_at))`,
      }),
      mostARun: 5_000_000,
    },
    {
      ...byAge({ name: "tasks", table: "tasks", key: ["job", "task_key"], age: "ended_at", days: TASK_DAYS }),
      mostARun: 5_000_000,
    },
  ],
  open: ({ jobs }) => ({ jobs }),
  commands: JOB_COMMANDS,
  queries: JOB_QUERIES,
});
