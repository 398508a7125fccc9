import type { Database } from "../sql.ts";

/**
 * `queued`: waits for an earlier run. `running`. `retrying`: failed, and is tried again. `succeeded`. `dead`: failed for good.
 * `skipped`: was due, and had no run; `error` says why.
 */
export type RunOutcome = "queued" | "running" | "retrying" | "succeeded" | "dead" | "skipped";

/** One run of a job, one row for each due time; or of a task. Times are epoch milliseconds. */
export interface JobRun {
  job: string;
  /** The key of the task that it is a run of; missing when it is a job's. */
  task?: string;
  scheduledAt: number;
  /** Where the latest attempt ran, and the epoch of the job's actor there. */
  node: string | null;
  epoch: number | null;
  /** How many attempts there have been; 0 before the first. */
  attempt: number;
  /** When the first attempt started. */
  startedAt: number | null;
  /** When the latest attempt ended. */
  finishedAt: number | null;
  /** How long after its due time the first attempt started. */
  latenessMs: number | null;
  outcome: RunOutcome;
  /** What the latest attempt failed with, why its end cannot be stored, or why the due time was skipped. */
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
  /** Its runs killed their nodes, or its actor did: it rests until an operator resumes it. */
  quarantined: boolean;
  nextRunAt: number | null;
  /** The due time that an operator has said is to pass without a run. */
  skipAt: number | null;
  /** Runs that have ended, and how. */
  runs: number;
  successes: number;
  failures: number;
  /** The node that runs it now. */
  runningOn: string | null;
  lastRun: JobRun | null;
  /** The latest run that failed for good. */
  lastDead: JobRun | null;
}

/** All jobs in figures. */
export interface JobsStatus {
  /** Runs that have ended, and how. */
  runs: number;
  successes: number;
  failures: number;
  /** Of those that ended; null before the first. */
  successRate: number | null;
  jobs: JobSummary[];
}

/** The feed of what jobs tell the operators: an attempt that failed or was lost with its node, a run that is dead. */
export const JOBS_TOPIC = "jobs";

/** A row of `job_runs`. */
export interface RunRow {
  job: string;
  /** The key of a task; empty when the run is a job's. */
  task: string;
  scheduled_at: number;
  node: string | null;
  epoch: number | null;
  attempt: number;
  /** The latest attempt that its node gave up because the job left it, without having died. */
  given_up: number | null;
  started_at: number | null;
  finished_at: number | null;
  lateness_ms: number | null;
  outcome: RunOutcome;
  error: string | null;
  result: string | null;
  progress: string | null;
  by_hand: number;
}

/** A row of `jobs`. */
export interface JobRow {
  name: string;
  schedule: string;
  timezone: string;
  enabled: number;
  paused: number;
  quarantined: number;
  next_run_at: number | null;
  skip_at: number | null;
  runs: number;
  successes: number;
  failures: number;
  running_on: string | null;
  last_scheduled_at: number | null;
  last_dead_at: number | null;
}

/** The jobs' history and glance, for whoever reads it. `JobBook` is the side that writes. */
export class JobHistory {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Newest first. */
  async runs(limit: number, job?: string): Promise<JobRun[]> {
    const [where, params] = job === undefined ? ["", []] : ["WHERE job = ?", [job]];
    // One direction for both columns, so that the index is read backwards and nothing is sorted.
    const rows = await this.#database.query<RunRow>(
      `SELECT * FROM job_runs ${where} ORDER BY scheduled_at DESC, job DESC LIMIT ?`,
      [...params, limit],
    );
    return rows.map(runOf);
  }

  /** By name. */
  async jobs(): Promise<JobSummary[]> {
    const rows = await this.#database.query<JobRow>("SELECT * FROM jobs ORDER BY name");
    const [last, dead] = await Promise.all([
      this.#runsAt(rows, (row) => row.last_scheduled_at),
      this.#runsAt(rows, (row) => row.last_dead_at),
    ]);
    return rows.map((row) => ({
      name: row.name,
      schedule: row.schedule,
      timezone: row.timezone,
      enabled: Boolean(row.enabled),
      paused: Boolean(row.paused),
      quarantined: Boolean(row.quarantined),
      nextRunAt: numberOrNull(row.next_run_at),
      skipAt: numberOrNull(row.skip_at),
      runs: Number(row.runs),
      successes: Number(row.successes),
      failures: Number(row.failures),
      runningOn: row.running_on,
      lastRun: last.get(row.name) ?? null,
      lastDead: dead.get(row.name) ?? null,
    }));
  }

  /** The run of each job at one time; a job whose run is not there, or not any more, is left out. */
  async #runsAt(jobs: readonly JobRow[], timeOf: (job: JobRow) => number | null): Promise<Map<string, JobRun>> {
    const wanted = jobs.filter((job) => timeOf(job) !== null);
    if (wanted.length === 0) return new Map();
    const rows = await this.#database.query<RunRow>(
      `SELECT * FROM job_runs WHERE ${wanted.map(() => "(job = ? AND scheduled_at = ?)").join(" OR ")}`,
      wanted.flatMap((job) => [job.name, timeOf(job)]),
    );
    return new Map(rows.map((row) => [row.job, runOf(row)]));
  }

  /** Shows how far an attempt is (`state` is JSON); nothing when it is not the running one any more. */
  async progress(job: string, scheduledAt: number, attempt: number, state: string, task = ""): Promise<void> {
    await this.#database.write(
      `UPDATE job_runs SET progress = ?
       WHERE job = ? AND scheduled_at = ? AND task = ? AND attempt = ? AND outcome = 'running'`,
      [state, job, scheduledAt, task, attempt],
    );
  }

  /** Shows that how an attempt ended cannot be stored, and why; nothing when it is not the running one any more. */
  async endFails(job: string, scheduledAt: number, attempt: number, error: string, task = ""): Promise<void> {
    await this.#database.write(
      `UPDATE job_runs SET error = ?
       WHERE job = ? AND scheduled_at = ? AND task = ? AND attempt = ? AND outcome = 'running'`,
      [error, job, scheduledAt, task, attempt],
    );
  }

  /** Notes that a node has given an attempt up; nothing when it is not the running one any more. */
  async giveUp(job: string, scheduledAt: number, attempt: number, task = ""): Promise<void> {
    await this.#database.write(
      `UPDATE job_runs SET given_up = attempt
       WHERE job = ? AND scheduled_at = ? AND task = ? AND attempt = ? AND outcome = 'running'`,
      [job, scheduledAt, task, attempt],
    );
  }
}

function runOf(row: RunRow): JobRun {
  return {
    job: row.job,
    ...(row.task === "" ? {} : { task: row.task }),
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
