import type { Database, Transaction } from "../sql.ts";
import { assignments, type RunChange } from "./JobBook.ts";

/** A task that waits for its next attempt. Times are epoch milliseconds. */
export interface WaitingTask {
  key: string;
  /** When its run was due at first, which names the run in the history. */
  scheduledAt: number;
  /** When its next attempt is due. */
  dueAt: number;
  /** JSON. */
  args: string;
  /** How many attempts there have been. */
  attempt: number;
  /** Attempts that failed by themselves. */
  failures: number;
  /** Attempts in a row whose node fell silent. */
  deaths: number;
  /** What an earlier attempt reported last, as JSON. */
  progress: string | null;
}

/** A task by its key. */
export interface KnownTask {
  key: string;
  scheduledAt: number;
  /** JSON. */
  args: string;
  attempt: number;
  isDead: boolean;
}

/** A task that failed for good. Times are epoch milliseconds. What it is to do is not shown: it may be secret. */
export interface DeadTask {
  name: string;
  key: string;
  createdAt: number;
  diedAt: number;
  attempts: number;
  /** What the last attempt failed with. */
  error: string;
}

type RunOf = Pick<WaitingTask, "key" | "scheduledAt">;
/** Changes of a task's row, by column. */
type TaskChange = Partial<
  Record<"scheduled_at" | "due_at" | "failures" | "deaths" | "dead_at" | "ended_at", number | null> & {
    error: string | null;
  }
>;

/**
 * The tasks of one shard, for a turn of its actor. The turn's fence makes it the only writer of these rows and of their runs, but
 * for progress.
 */
export class TaskBook {
  readonly #tx: Transaction;
  readonly #job: string;
  readonly #shard: number;

  constructor(tx: Transaction, job: string, shard: number) {
    this.#tx = tx;
    this.#job = job;
    this.#shard = shard;
  }

  async find(key: string): Promise<KnownTask | undefined> {
    const [row] = await this.#tx.query<Record<string, unknown>>(
      "SELECT scheduled_at, args, attempt, dead_at FROM tasks WHERE job = ? AND task_key = ?",
      [this.#job, key],
    );
    if (!row) return undefined;
    const { scheduled_at, args, attempt, dead_at } = row;
    return {
      key,
      scheduledAt: Number(scheduled_at),
      args: String(args),
      attempt: Number(attempt),
      isDead: dead_at !== null,
    };
  }

  /** A task whose key is not known yet. */
  async add({ key, scheduledAt, args }: RunOf & { args: string }, now: number): Promise<void> {
    await this.#tx.write(
      `INSERT INTO tasks (job, task_key, shard, args, scheduled_at, due_at, attempt, failures, deaths, created_at)
       VALUES (?, ?, ?, ?, ?, ?, 0, 0, 0, ?)`,
      [this.#job, key, this.#shard, args, scheduledAt, scheduledAt, now],
    );
    await this.#addRun({ key, scheduledAt }, { attempt: 0, byHand: false });
  }

  /** A dead one waits again, for a run of its own. */
  async replay({ key, attempt }: KnownTask, scheduledAt: number): Promise<void> {
    const anew = { scheduled_at: scheduledAt, due_at: scheduledAt, failures: 0, deaths: 0, dead_at: null, error: null };
    await this.change(key, anew);
    await this.#addRun({ key, scheduledAt }, { attempt, byHand: true });
  }

  /** Those that wait, the soonest due first. */
  async next(limit: number): Promise<WaitingTask[]> {
    const rows = await this.#tx.query<Record<string, unknown>>(
      `SELECT tasks.*, runs.progress FROM tasks LEFT JOIN job_runs runs
         ON runs.job = tasks.job AND runs.scheduled_at = tasks.scheduled_at AND runs.task = tasks.task_key
       WHERE tasks.job = ? AND tasks.shard = ? AND tasks.due_at IS NOT NULL ORDER BY tasks.due_at LIMIT ?`,
      [this.#job, this.#shard, limit],
    );
    return rows.map((row) => ({
      key: String(row.task_key),
      scheduledAt: Number(row.scheduled_at),
      dueAt: Number(row.due_at),
      args: String(row.args),
      attempt: Number(row.attempt),
      failures: Number(row.failures),
      deaths: Number(row.deaths),
      progress: row.progress === null ? null : String(row.progress),
    }));
  }

  /** A further attempt at each of these (at least one) begins. */
  async begin(tasks: readonly RunOf[], by: { node: string; epoch: number; now: number }): Promise<void> {
    await this.#tx.write(
      `UPDATE tasks SET due_at = NULL, attempt = attempt + 1 WHERE job = ? AND task_key IN (${tasks.map(() => "?").join(", ")})`,
      [this.#job, ...tasks.map(({ key }) => key)],
    );
    await this.#tx.write(
      `UPDATE job_runs SET node = ?, epoch = ?, outcome = 'running', attempt = attempt + 1,
         started_at = COALESCE(started_at, ?),
         lateness_ms = COALESCE(lateness_ms, CASE WHEN scheduled_at < ? THEN ? - scheduled_at ELSE 0 END)
       WHERE ${these(tasks)}`,
      [by.node, by.epoch, by.now, by.now, by.now, ...this.#keysOf(tasks)],
    );
  }

  /** Which of these runs (at least one) were given up by their nodes at this attempt, without having died of it. */
  async givenUp(runs: ReadonlyArray<RunOf & { attempt: number }>): Promise<Set<string>> {
    const rows = await this.#tx.query<{ task: string; given_up: number | null }>(
      `SELECT task, given_up FROM job_runs WHERE ${these(runs)}`,
      this.#keysOf(runs),
    );
    const given = new Map(rows.map((row) => [row.task, Number(row.given_up ?? 0)]));
    return new Set(runs.filter(({ key, attempt }) => given.get(key) === attempt).map(({ key }) => key));
  }

  async change(key: string, change: TaskChange): Promise<void> {
    await this.#tx.write(`UPDATE tasks SET ${assignments(change)} WHERE job = ? AND task_key = ?`, [
      ...Object.values(change),
      this.#job,
      key,
    ]);
  }

  async changeRun(run: RunOf, change: RunChange): Promise<void> {
    await this.#tx.write(`UPDATE job_runs SET ${assignments(change)} WHERE ${these([run])}`, [
      ...Object.values(change),
      ...this.#keysOf([run]),
    ]);
  }

  async #addRun({ key, scheduledAt }: RunOf, { attempt, byHand }: { attempt: number; byHand: boolean }): Promise<void> {
    await this.#tx.write(
      "INSERT INTO job_runs (job, scheduled_at, task, outcome, attempt, by_hand) VALUES (?, ?, ?, 'queued', ?, ?)",
      [this.#job, scheduledAt, key, attempt, byHand ? 1 : 0],
    );
  }

  #keysOf(runs: readonly RunOf[]): unknown[] {
    return runs.flatMap(({ key, scheduledAt }) => [this.#job, scheduledAt, key]);
  }
}

const these = (runs: readonly RunOf[]): string =>
  runs.map(() => "(job = ? AND scheduled_at = ? AND task = ?)").join(" OR ");

/** Newest first. */
export async function deadTasks(database: Database, limit: number): Promise<DeadTask[]> {
  const rows = await database.query<Record<string, unknown>>(
    `SELECT job, task_key, created_at, dead_at, attempt, error FROM tasks
     WHERE dead_at IS NOT NULL ORDER BY dead_at DESC LIMIT ?`,
    [limit],
  );
  return rows.map((row) => ({
    name: String(row.job),
    key: String(row.task_key),
    createdAt: Number(row.created_at),
    diedAt: Number(row.dead_at),
    attempts: Number(row.attempt),
    error: String(row.error),
  }));
}
