import type { Database, Sql, Transaction } from "../sql.ts";

/**
 * `queued`: waits for an earlier run. `running`. `retrying`: failed, and is tried again. `succeeded`. `dead`: failed for good.
 * `skipped`: was due while another ran.
 */
export type RunOutcome = "queued" | "running" | "retrying" | "succeeded" | "dead" | "skipped";

/** One run of a job: one row for each due time. Times are epoch milliseconds. */
export interface JobRun {
  job: string;
  scheduledAt: number;
  node: string | null;
  epoch: number | null;
  attempt: number;
  startedAt: number | null;
  finishedAt: number | null;
  /** How long after its due time the first attempt started. */
  latenessMs: number | null;
  outcome: RunOutcome;
  error: string | null;
  result: unknown;
  progress: unknown;
  /** Whether an operator asked for it. */
  byHand: boolean;
}

/** A job at a glance. */
export interface JobSummary {
  name: string;
  schedule: string;
  timezone: string;
  enabled: boolean;
  paused: boolean;
  nextRunAt: number | null;
  runs: number;
  successes: number;
  failures: number;
  runningOn: string | null;
  lastRun: JobRun | null;
}

interface RunRow {
  job: string;
  scheduled_at: number;
  node: string | null;
  epoch: number | null;
  attempt: number;
  started_at: number | null;
  finished_at: number | null;
  lateness_ms: number | null;
  outcome: RunOutcome;
  error: string | null;
  result: string | null;
  progress: string | null;
  by_hand: number;
}

interface JobRow {
  name: string;
  schedule: string;
  timezone: string;
  enabled: number;
  paused: number;
  next_run_at: number | null;
  runs: number;
  successes: number;
  failures: number;
  running_on: string | null;
  last_scheduled_at: number | null;
}

/** Changes of a run's row, by column. */
export type RunChange = Partial<Omit<RunRow, "job" | "scheduled_at">>;
/** Changes of a job's row, by column. */
export type JobChange = Partial<Omit<JobRow, "name">>;

/** The jobs' history and glance, for whoever reads it. */
export class JobHistory {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Newest first. */
  async runs(limit: number, job?: string): Promise<JobRun[]> {
    const [where, params] = job === undefined ? ["", []] : ["WHERE job = ?", [job]];
    const rows = await this.#database.query<RunRow>(
      `SELECT * FROM job_runs ${where} ORDER BY scheduled_at DESC, job LIMIT ?`,
      [...params, limit],
    );
    return rows.map(runOf);
  }

  async jobs(): Promise<JobSummary[]> {
    const rows = await this.#database.query<JobRow & Partial<RunRow>>(
      `SELECT jobs.*, job_runs.* FROM jobs LEFT JOIN job_runs ON job_runs.job = jobs.name AND job_runs.scheduled_at = jobs.last_scheduled_at
       ORDER BY jobs.name`,
    );
    return rows.map((row) => ({
      name: row.name,
      schedule: row.schedule,
      timezone: row.timezone,
      enabled: Boolean(row.enabled),
      paused: Boolean(row.paused),
      nextRunAt: numberOrNull(row.next_run_at),
      runs: Number(row.runs),
      successes: Number(row.successes),
      failures: Number(row.failures),
      runningOn: row.running_on,
      lastRun: row.job === null || row.job === undefined ? null : runOf(row as RunRow),
    }));
  }

  /** Shows how far an attempt is; nothing when it is not the running one any more. */
  async progress(job: string, scheduledAt: number, attempt: number, state: string): Promise<void> {
    await this.#database.write(
      "UPDATE job_runs SET progress = ? WHERE job = ? AND scheduled_at = ? AND attempt = ? AND outcome = 'running'",
      [state, job, scheduledAt, attempt],
    );
  }
}

/** One row for each due time; a due time that has one keeps it. Returns how many are new. */
export async function insertRuns(
  sql: Sql,
  job: string,
  runs: ReadonlyArray<{ scheduledAt: number; outcome: RunOutcome; byHand: boolean }>,
): Promise<number> {
  if (runs.length === 0) return 0;
  const ignore = sql.dialect === "mysql" ? "INSERT IGNORE" : "INSERT OR IGNORE";
  const { affected } = await sql.write(
    `${ignore} INTO job_runs (job, scheduled_at, attempt, outcome, by_hand) VALUES ${runs.map(() => "(?, ?, 0, ?, ?)").join(", ")}`,
    runs.flatMap((run) => [job, run.scheduledAt, run.outcome, run.byHand ? 1 : 0]),
  );
  return affected;
}

export async function updateRun(tx: Transaction, job: string, scheduledAt: number, change: RunChange): Promise<void> {
  const columns = Object.keys(change);
  await tx.write(
    `UPDATE job_runs SET ${columns.map((column) => `${column} = ?`).join(", ")} WHERE job = ? AND scheduled_at = ?`,
    [...Object.values(change), job, scheduledAt],
  );
}

/** Writes the job's glance; `add` counts on top of what is there. */
export async function updateJob(
  tx: Transaction,
  name: string,
  change: JobChange,
  add: { runs?: number; successes?: number; failures?: number } = {},
): Promise<void> {
  const sets = [
    ...Object.keys(change).map((column) => `${column} = ?`),
    ...Object.keys(add).map((column) => `${column} = ${column} + ?`),
  ];
  await tx.write(`UPDATE jobs SET ${sets.join(", ")} WHERE name = ?`, [
    ...Object.values(change),
    ...Object.values(add),
    name,
  ]);
}

/** The job's glance is there from the first time that a node knows the job. */
export async function insertJob(tx: Transaction, name: string, schedule: string, timezone: string): Promise<void> {
  const ignore = tx.dialect === "mysql" ? "INSERT IGNORE" : "INSERT OR IGNORE";
  await tx.write(
    `${ignore} INTO jobs (name, schedule, timezone, enabled, paused, runs, successes, failures) VALUES (?, ?, ?, 1, 0, 0, 0, 0)`,
    [name, schedule, timezone],
  );
}

function runOf(row: RunRow): JobRun {
  return {
    job: row.job,
    scheduledAt: Number(row.scheduled_at),
    node: row.node,
    epoch: numberOrNull(row.epoch),
    attempt: Number(row.attempt),
    startedAt: numberOrNull(row.started_at),
    finishedAt: numberOrNull(row.finished_at),
    latenessMs: numberOrNull(row.lateness_ms),
    outcome: row.outcome,
    error: row.error,
    result: row.result === null ? null : JSON.parse(row.result),
    progress: row.progress === null ? null : JSON.parse(row.progress),
    byHand: Boolean(row.by_hand),
  };
}

const numberOrNull = (value: number | null): number | null => (value === null ? null : Number(value));
