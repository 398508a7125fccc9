import { Actor, type ActorContext, type TimerHandlers } from "../../actors/runtime/Actor.ts";
import { insertJob, insertRuns, type RunChange, updateJob, updateRun } from "../../entities/jobs/Job.ts";
import type { Transaction } from "../../entities/sql.ts";
import { RingmasterError } from "../../errors.ts";
import type { Job } from "./defineJob.ts";
import type { JobRunner } from "./JobRunner.ts";
import { nextDue, planDue } from "./schedule.ts";

interface ActiveRun {
  scheduledAt: number;
  attempt: number;
  /** Attempts that failed by themselves; those that died with their node do not count. */
  failures: number;
  startedAt: number;
}

export interface JobState {
  /** What `nextAt` was computed from: a changed schedule is computed anew. */
  plan?: string;
  nextAt: number | null;
  paused: boolean;
  skipNext: boolean;
  /** Due times that wait for the running one. */
  queue: number[];
  active: ActiveRun | null;
}

/** How an attempt ended. */
export type AttemptOutcome = { ok: true; result: string } | { ok: false; error: string };

/** Due times that may wait for a slow run; beyond it they are skipped, and the history says so. */
const LONGEST_QUEUE = 1000;
/** A running job's actor looks this often whether its run is still here: after its node died it is not. */
const SUPERVISE_MS = 1000;
const FIRST_BACKOFF_MS = 1000;
const LONGEST_BACKOFF_MS = 300_000;

/**
 * One global job: an actor with a durable timer. Its turns decide what runs when; the run itself happens outside of them, on
 * the node that owns the actor, and reports back. A run whose node died is begun again by the next owner.
 */
export class JobActor extends Actor<JobState> {
  static readonly kind = "job";
  static initial(): JobState {
    return { nextAt: null, paused: false, skipNext: false, queue: [], active: null };
  }

  readonly #jobs: ReadonlyMap<string, Job>;
  readonly #runner: JobRunner;
  /** The attempt that runs on this node. */
  #here: { scheduledAt: number; attempt: number; stop(): void } | undefined;

  constructor(context: ActorContext, jobs: ReadonlyMap<string, Job>, runner: JobRunner) {
    super(context);
    this.#jobs = jobs;
    this.#runner = runner;
  }

  readonly timers: TimerHandlers = {
    due: () => this.#due(),
    supervise: () => this.#supervise(),
    retry: () => this.#retry(),
  };

  override deactivated(): void {
    this.#here?.stop();
  }

  /** Every node says this at its start: arms the job, or disarms it when it is disabled there. */
  async arm(enabled: boolean): Promise<void> {
    const job = this.#job();
    const plan = JSON.stringify([job.schedule, job.timezone, enabled]);
    if (this.state.plan === plan) return;
    this.state.plan = plan;
    const sql = await this.sql();
    const schedule = describe(job);
    await insertJob(sql, job.name, schedule, job.timezone);
    this.#schedule(enabled ? nextDue(job.schedule, job.timezone, this.now, this.rng) : undefined);
    await updateJob(sql, job.name, {
      schedule,
      timezone: job.timezone,
      enabled: enabled ? 1 : 0,
      next_run_at: this.state.nextAt,
    });
  }

  /** Due times pass without a run until it is resumed. What runs goes on. */
  async pause(): Promise<void> {
    await this.#setPaused(true);
  }

  async resume(): Promise<void> {
    await this.#setPaused(false);
  }

  /** The next due time passes without a run. */
  async skipNext(): Promise<{ skipped: number | null }> {
    this.#job();
    this.state.skipNext = this.state.nextAt !== null;
    return { skipped: this.state.nextAt };
  }

  /** Runs the job now, also while it is paused; queued behind a running one. Answers the time that the run goes by. */
  async trigger(): Promise<{ scheduledAt: number }> {
    const { name } = this.#job();
    if (this.state.queue.length >= LONGEST_QUEUE)
      throw new RingmasterError("overloaded", `Job ${name} has ${LONGEST_QUEUE} runs waiting.`);
    const sql = await this.sql();
    let scheduledAt = this.now;
    // A due time may have this very millisecond; a run by hand then goes by the next.
    while ((await insertRuns(sql, name, [{ scheduledAt, outcome: "queued", byHand: true }])) === 0) scheduledAt += 1;
    this.state.queue.push(scheduledAt);
    await this.#beginNext(sql);
    return { scheduledAt };
  }

  /** The runner's word on an attempt; an attempt that is not the active one any more is history. */
  async finish(scheduledAt: number, attempt: number, outcome: AttemptOutcome): Promise<void> {
    const { active } = this.state;
    if (!active || active.scheduledAt !== scheduledAt || active.attempt !== attempt) return;
    const { name, retries } = this.#job();
    const sql = await this.sql();
    this.#here = undefined;
    this.cancel("supervise");
    const finished = { finished_at: this.now };
    if (outcome.ok)
      return this.#close(sql, { ...finished, outcome: "succeeded", result: outcome.result, error: null }, "successes");
    active.failures += 1;
    if (active.failures > retries)
      return this.#close(sql, { ...finished, outcome: "dead", error: outcome.error }, "failures");
    const backoff = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (active.failures - 1));
    this.after("retry", backoff * (0.5 + this.rng.next() / 2));
    await updateRun(sql, name, scheduledAt, { ...finished, outcome: "retrying", error: outcome.error });
    await updateJob(sql, name, { running_on: null });
  }

  #job(): Job {
    const job = this.#jobs.get(this.id);
    if (!job) throw new RingmasterError("not_found", `There is no job ${this.id}.`);
    return job;
  }

  #schedule(next: number | undefined): void {
    this.state.nextAt = next ?? null;
    if (next === undefined) this.cancel("due");
    else this.at("due", next);
  }

  async #setPaused(paused: boolean): Promise<void> {
    const { name } = this.#job();
    this.state.paused = paused;
    await updateJob(await this.sql(), name, { paused: paused ? 1 : 0 });
  }

  async #due(): Promise<void> {
    const { name, schedule, timezone, missed, overlap } = this.#job();
    const plan = planDue(this.state.nextAt ?? this.now, this.now, missed, (after) =>
      nextDue(schedule, timezone, after, this.rng),
    );
    const sql = await this.sql();
    this.#schedule(plan.next);
    const runs = plan.run.map((scheduledAt) => ({
      scheduledAt,
      outcome: this.#admit(scheduledAt, overlap),
      byHand: false,
    }));
    await insertRuns(sql, name, runs);
    await updateJob(sql, name, { next_run_at: this.state.nextAt });
    await this.#beginNext(sql);
  }

  /** Whether a due time gets a run; when it does, it joins the queue. */
  #admit(scheduledAt: number, overlap: Job["overlap"]): "queued" | "skipped" {
    if (this.state.skipNext) {
      this.state.skipNext = false;
      return "skipped";
    }
    const isBusy = this.state.active !== null || this.state.queue.length > 0;
    // Due times that come together, missed ones among them, are one queue; only a run that goes on is an overlap.
    if (this.state.paused || (this.state.active !== null && isBusy && overlap === "skip")) return "skipped";
    if (this.state.queue.length >= LONGEST_QUEUE) return "skipped";
    this.state.queue.push(scheduledAt);
    return "queued";
  }

  async #beginNext(sql: Transaction): Promise<void> {
    if (this.state.active) return;
    const scheduledAt = this.state.queue.shift();
    if (scheduledAt === undefined) return;
    this.state.active = { scheduledAt, attempt: 0, failures: 0, startedAt: this.now };
    await this.#begin(sql);
  }

  /** Begins an attempt of the active run on this node, once the turn has committed. */
  async #begin(sql: Transaction): Promise<void> {
    const job = this.#job();
    const active = this.state.active!;
    active.attempt += 1;
    active.startedAt = this.now;
    const { scheduledAt, attempt } = active;
    const first = attempt === 1 ? { started_at: this.now, lateness_ms: Math.max(0, this.now - scheduledAt) } : {};
    await updateRun(sql, job.name, scheduledAt, {
      ...first,
      node: this.place.nodeId,
      epoch: this.place.epoch,
      attempt,
      outcome: "running",
    });
    await updateJob(sql, job.name, { running_on: this.place.nodeId, last_scheduled_at: scheduledAt });
    this.every("supervise", SUPERVISE_MS);
    this.afterCommit(() => {
      this.#here = { scheduledAt, attempt, stop: this.#runner.run(job, scheduledAt, attempt) };
    });
  }

  /** The active run's row gets its end; the next in the queue begins. */
  async #close(sql: Transaction, change: RunChange, counted: "successes" | "failures"): Promise<void> {
    const { name } = this.#job();
    await updateRun(sql, name, this.state.active!.scheduledAt, change);
    await updateJob(sql, name, { running_on: null }, { runs: 1, [counted]: 1 });
    this.state.active = null;
    await this.#beginNext(sql);
  }

  /** After its node died, or its report was lost, the active run is not here: begins a further attempt. */
  async #supervise(): Promise<void> {
    const { active } = this.state;
    if (!active) return this.cancel("supervise");
    if (this.#here?.scheduledAt === active.scheduledAt && this.#here.attempt === active.attempt) return;
    await this.#begin(await this.sql());
  }

  async #retry(): Promise<void> {
    if (this.state.active) await this.#begin(await this.sql());
  }
}

function describe({ schedule }: Job): string {
  if ("cron" in schedule) return schedule.cron;
  return "jitterMs" in schedule
    ? `every ${schedule.everyMs} ms ± ${schedule.jitterMs} ms`
    : `every ${schedule.everyMs} ms`;
}
