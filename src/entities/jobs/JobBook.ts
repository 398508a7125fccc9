import { insertNew } from "../insertNew.ts";
import type { Transaction } from "../sql.ts";
import type { JobRow, RunOutcome, RunRow } from "./Job.ts";

/** Changes of a run's row, by column. */
export type RunChange = Partial<Omit<RunRow, "job" | "task" | "scheduled_at" | "by_hand">>;
/** Changes of a job's row, by column. */
export type JobChange = Partial<Omit<JobRow, "name" | "runs" | "successes" | "failures">>;

interface NewRun extends RunChange {
  outcome: RunOutcome;
  by_hand: number;
}

/** What a new row has in these columns; those that are missing here are NULL until a run changes them. */
const NEW_RUN_COLUMNS = [
  "outcome",
  "by_hand",
  "node",
  "epoch",
  "attempt",
  "started_at",
  "lateness_ms",
  "error",
] as const;

const JOBS = {
  table: "jobs",
  columns: ["name", "schedule", "timezone", "enabled", "paused", "quarantined", "runs", "successes", "failures"],
};

/**
 * What one turn of a job's actor writes into the history: collected, and written by `store` in as few statements as there are
 * tables and rows. The turn's fence makes it the only writer of this job's rows, but for progress.
 */
export class JobBook {
  readonly #tx: Transaction;
  readonly #job: string;
  readonly #added = new Map<number, NewRun>();
  readonly #changed = new Map<number, RunChange>();
  readonly #counted = { runs: 0, successes: 0, failures: 0 };
  #glance: JobChange = {};

  constructor(tx: Transaction, job: string) {
    this.#tx = tx;
    this.#job = job;
  }

  /** Which of the times from `first` to `last` have a run already. */
  async taken(first: number, last: number): Promise<Set<number>> {
    const rows = await this.#tx.query<{ scheduled_at: number }>(
      "SELECT scheduled_at FROM job_runs WHERE job = ? AND scheduled_at BETWEEN ? AND ?",
      [this.#job, first, last],
    );
    return new Set(rows.map((row) => Number(row.scheduled_at)));
  }

  /** What the attempts at a run left: their latest report, as JSON, and which of them was given up last. */
  async remains(scheduledAt: number): Promise<{ progress: string | null; givenUp: number | null }> {
    const [row] = await this.#tx.query<Pick<RunRow, "progress" | "given_up">>(
      "SELECT progress, given_up FROM job_runs WHERE job = ? AND scheduled_at = ?",
      [this.#job, scheduledAt],
    );
    return { progress: row?.progress ?? null, givenUp: row?.given_up ?? null };
  }

  /** The row of a due time, which has none yet. `why` says why it is skipped. */
  add(
    scheduledAt: number,
    outcome: "queued" | "skipped",
    { byHand = false, why }: { byHand?: boolean; why?: string },
  ): void {
    this.#added.set(scheduledAt, { attempt: 0, outcome, by_hand: byHand ? 1 : 0, error: why ?? null });
  }

  change(scheduledAt: number, change: RunChange): void {
    const added = this.#added.get(scheduledAt);
    if (added) Object.assign(added, change);
    else this.#changed.set(scheduledAt, { ...this.#changed.get(scheduledAt), ...change });
  }

  /** The job's glance. */
  show(change: JobChange): void {
    this.#glance = { ...this.#glance, ...change };
  }

  /** A run has ended. */
  count(end: "successes" | "failures"): void {
    this.#counted.runs += 1;
    this.#counted[end] += 1;
  }

  /** The glance is there from the first time that a node knows the job. */
  async introduce(schedule: string, timezone: string): Promise<void> {
    await insertNew(this.#tx, JOBS, [[this.#job, schedule, timezone, 1, 0, 0, 0, 0, 0]]);
  }

  async store(): Promise<void> {
    await this.#storeAdded();
    for (const [scheduledAt, change] of this.#changed) {
      await this.#tx.write(`UPDATE job_runs SET ${assignments(change)} WHERE job = ? AND scheduled_at = ?`, [
        ...Object.values(change),
        this.#job,
        scheduledAt,
      ]);
    }
    await this.#storeGlance();
  }

  async #storeAdded(): Promise<void> {
    if (this.#added.size === 0) return;
    const row = `(?, ?, ${NEW_RUN_COLUMNS.map(() => "?").join(", ")})`;
    await this.#tx.write(
      `INSERT INTO job_runs (job, scheduled_at, ${NEW_RUN_COLUMNS.join(", ")}) VALUES ${Array(this.#added.size).fill(row).join(", ")}`,
      [...this.#added].flatMap(([scheduledAt, run]) => [
        this.#job,
        scheduledAt,
        ...NEW_RUN_COLUMNS.map((column) => run[column] ?? null),
      ]),
    );
  }

  async #storeGlance(): Promise<void> {
    const counted = Object.entries(this.#counted).filter(([, by]) => by > 0);
    const sets = [
      ...(Object.keys(this.#glance).length > 0 ? [assignments(this.#glance)] : []),
      ...counted.map(([column]) => `${column} = ${column} + ?`),
    ];
    if (sets.length === 0) return;
    await this.#tx.write(`UPDATE jobs SET ${sets.join(", ")} WHERE name = ?`, [
      ...Object.values(this.#glance),
      ...counted.map(([, by]) => by),
      this.#job,
    ]);
  }
}

/** `column = ?` for each column of a change. */
export const assignments = (change: object): string =>
  Object.keys(change)
    .map((column) => `${column} = ?`)
    .join(", ");
