import { inspect } from "node:util";
import type { Span } from "@opentelemetry/api";
import type { Log } from "../../actors/runtime/ports.ts";
import { type Clock, sleep } from "../../clock.ts";
import type { JobHistory } from "../../entities/jobs/Job.ts";
import { toRingmasterError } from "../../errors.ts";
import { type Carried, cause, inRoot, type SpanStart } from "../../tracing.ts";
import type { Job, JobContext } from "./defineJob.ts";
import { ReportPauses } from "./ReportPauses.ts";

/** One attempt at one run of a job or of a task. */
export interface Attempt {
  job: Pick<Job, "name" | "timeoutMs" | "run">;
  /** The key of the task that this is a run of; missing when it is a job's. */
  task?: string;
  scheduledAt: number;
  attempt: number;
  earlierProgress: unknown;
}

/** How an attempt ended. `result` and `progress` are JSON. */
export type AttemptOutcome = { progress?: string } & ({ ok: true; result: string } | { ok: false; error: string });

export interface RunnerPorts {
  clock: Clock;
  log: Log;
  history: JobHistory;
  /** Tells the attempt's actor how it ended. */
  finish(attempt: Attempt, outcome: AttemptOutcome): Promise<void>;
  /** Tells the attempt's actor that it was given up, because the actor has left this node. */
  moved(attempt: Attempt): Promise<void>;
  /** For the metrics: an attempt ended. `latenessSeconds` is that of its run, told with the first attempt only. */
  ran(job: string, outcome: "succeeded" | "failed", seconds: number, latenessSeconds: number | undefined): void;
  /** For the metrics: how an attempt ended could not be stored, time and again. */
  endFailed(job: string): void;
}

/** What the history keeps of a result, of a progress report and of an error, in characters. */
const LONGEST_RESULT = 65_536;
const LONGEST_PROGRESS = 4096;
const LONGEST_ERROR = 4096;
const PROGRESS_EVERY_MS = 1000;
/** From so many failures on, which takes some seconds, it is shown that a run's end cannot be stored. */
const SHOWN_FROM = 6;
/** So often once the actor lives elsewhere, where it begins another attempt before long. */
const LAST_REPORTS = 5;

/** Runs attempts on this node, outside of any turn. */
export class JobRunner {
  readonly #ports: RunnerPorts;

  constructor(ports: RunnerPorts) {
    this.#ports = ports;
  }

  /** An attempt that is yet to be run. */
  attempt(attempt: Attempt): RunningAttempt {
    return new RunningAttempt(attempt, this.#ports);
  }
}

/** An attempt from the turn that begins it until its actor has heard how it ended. */
export class RunningAttempt {
  readonly #attempt: Attempt;
  readonly #ports: RunnerPorts;
  readonly #abort = new AbortController();
  readonly #report: ProgressReport;
  /** The turn that has it begin. */
  readonly #cause: Carried | undefined = cause();
  #phase: "begun" | "running" | "reporting" | "over" = "begun";
  /** How often the actor is told before it has to find out by itself. */
  #reports = Number.POSITIVE_INFINITY;

  constructor(attempt: Attempt, ports: RunnerPorts) {
    this.#attempt = attempt;
    this.#ports = ports;
    const { job, scheduledAt, task } = attempt;
    this.#report = new ProgressReport(ports, (state) =>
      ports.history.progress(job.name, scheduledAt, attempt.attempt, state, task),
    );
  }

  is(scheduledAt: number, attempt: number): boolean {
    return this.#attempt.scheduledAt === scheduledAt && this.#attempt.attempt === attempt;
  }

  start(): void {
    this.#phase = "running";
    const start = (): SpanStart => ({ name: `job ${this.#attempt.job.name}` });
    void inRoot(start, (span) => this.#run(span), { by: [this.#cause] });
  }

  /** Never rejects. */
  async #run(span: Span | undefined): Promise<void> {
    const { clock, ran } = this.#ports;
    const { job, scheduledAt, attempt } = this.#attempt;
    const startedAt = clock.monotonic();
    const lateness = attempt === 1 ? Math.max(0, clock.now() - scheduledAt) / 1000 : undefined;
    const outcome = await this.#outcome();
    if (!outcome.ok) span?.setAttribute("error.type", "failed");
    if (this.#phase === "over") return;
    this.#phase = "reporting";
    ran(job.name, outcome.ok ? "succeeded" : "failed", (clock.monotonic() - startedAt) / 1000, lateness);
    await this.#reportOutcome(outcome);
    this.#phase = "over";
  }

  /**
   * The actor has left this node, which is noted so that it does not look as if the node had died of the attempt. What runs is
   * aborted, and the actor is told where it is now, so that the next attempt need not wait. Of what has ended already it still hears.
   */
  giveUp(): void {
    this.#reports = LAST_REPORTS;
    const phase = this.#phase;
    if (phase === "over") return;
    if (phase !== "reporting") {
      this.#phase = "over";
      this.#abort.abort(new Error("the job has moved to another node"));
    }
    const { job, scheduledAt, attempt, task } = this.#attempt;
    const { history, log } = this.#ports;
    history
      .giveUp(job.name, scheduledAt, attempt, task)
      // Lost, this costs a second: then the actor finds out by itself. So it does when the attempt was only about to run.
      .then(() => (phase === "running" ? this.#ports.moved(this.#attempt) : undefined))
      .catch((error: unknown) => log.debug({ err: error, job: job.name }, "nobody has heard that a run is given up"));
  }

  async #outcome(): Promise<AttemptOutcome> {
    const { job, task, scheduledAt, attempt, earlierProgress } = this.#attempt;
    const { signal } = this.#abort;
    const aborted = Promise.withResolvers<never>();
    signal.addEventListener("abort", () => aborted.reject(signal.reason));
    const cancelTimeout = this.#ports.clock.schedule(
      () => this.#abort.abort(new Error(`timed out after ${job.timeoutMs} ms`)),
      job.timeoutMs,
    );
    const progress = (state: unknown): void => this.#report.give(state);
    const context: JobContext = { scheduledAt, attempt, earlierProgress, signal, progress };
    try {
      const result = await Promise.race([Promise.resolve().then(() => job.run(context)), aborted.promise]);
      return this.#ended({ ok: true, result: jsonOf(result, LONGEST_RESULT) });
    } catch (error) {
      if (this.#phase !== "over")
        this.#ports.log.warn({ err: error, job: job.name, task, scheduledAt, attempt }, "an attempt at a job failed");
      return this.#ended({ ok: false, error: textOf(error) });
    } finally {
      cancelTimeout();
    }
  }

  #ended(outcome: AttemptOutcome): AttemptOutcome {
    const progress = this.#report.end();
    return progress === undefined ? outcome : { ...outcome, progress };
  }

  /** The actor is told until it has it: until then its run counts as going on. */
  async #reportOutcome(outcome: AttemptOutcome): Promise<void> {
    const { clock, log } = this.#ports;
    const { job, task, scheduledAt } = this.#attempt;
    const pauses = new ReportPauses(clock);
    while (this.#reports > 0) {
      try {
        await this.#ports.finish(this.#attempt, outcome);
        return;
      } catch (error) {
        const { waitMs, failures } = pauses.next(error);
        const fields = { err: error, job: job.name, task, scheduledAt, failures, waitMs };
        log.warn(fields, "the end of an attempt could not be stored; trying again");
        if (failures >= SHOWN_FROM) this.#showReportFails(error);
        this.#reports -= 1;
        await sleep(clock, waitMs);
      }
    }
  }

  /** In the run's row, without a turn: it may be the turns that fail. */
  #showReportFails(error: unknown): void {
    const { job, task, scheduledAt, attempt } = this.#attempt;
    const { history, log, endFailed } = this.#ports;
    endFailed(job.name);
    const { code, message } = toRingmasterError(error);
    history
      .endFails(job.name, scheduledAt, attempt, `its end cannot be stored: ${code}: ${message}`, task)
      .catch((cause: unknown) => log.debug({ err: cause, job: job.name }, "that an end fails could not be written"));
  }
}

/** Writes the latest of an attempt's reports, at most one a second; the last one is left to the attempt's end. */
class ProgressReport {
  readonly #ports: RunnerPorts;
  readonly #write: (state: string) => Promise<void>;
  #latest: string | undefined;
  #cancel: (() => void) | undefined;
  #hasEnded = false;

  constructor(ports: RunnerPorts, write: (state: string) => Promise<void>) {
    this.#ports = ports;
    this.#write = write;
  }

  give(state: unknown): void {
    if (this.#hasEnded) return;
    this.#latest = jsonOf(state, LONGEST_PROGRESS);
    this.#cancel ??= this.#ports.clock.schedule(() => {
      this.#cancel = undefined;
      this.#write(this.#latest!).catch((error: unknown) =>
        this.#ports.log.debug({ err: error }, "a job's progress could not be written"),
      );
    }, PROGRESS_EVERY_MS);
  }

  /** The latest report, if there was one. */
  end(): string | undefined {
    this.#hasEnded = true;
    this.#cancel?.();
    return this.#latest;
  }
}

/**
 * As JSON, which the history must stay: what is too long or has no JSON is replaced by a note that says so. The work is done by
 * then, and done again it would be no better.
 */
function jsonOf(value: unknown, most: number): string {
  try {
    const json = JSON.stringify(value ?? null) ?? JSON.stringify({ unserialisable: typeof value });
    return json.length <= most ? json : JSON.stringify({ tooLong: json.length });
  } catch (error) {
    return JSON.stringify({ unserialisable: textOf(error) });
  }
}

/** Anything may be thrown, and nothing of it may throw again here. */
function textOf(error: unknown): string {
  try {
    const text = error instanceof Error ? String(error.message || error.name) : inspect(error);
    return text.slice(0, LONGEST_ERROR);
  } catch {
    return "something that cannot be shown was thrown";
  }
}
