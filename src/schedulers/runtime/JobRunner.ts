import type { Log } from "../../actors/runtime/ports.ts";
import type { Clock } from "../../clock.ts";
import type { JobHistory } from "../../entities/jobs/Job.ts";
import type { Job } from "./defineJob.ts";
import type { AttemptOutcome } from "./JobActor.ts";

export interface RunnerPorts {
  clock: Clock;
  log: Log;
  history: JobHistory;
  /** Tells the job's actor how an attempt ended. */
  finish(job: string, scheduledAt: number, attempt: number, outcome: AttemptOutcome): Promise<void>;
  /** For the metrics: an attempt ended. */
  ran(job: string, outcome: "succeeded" | "failed", seconds: number, latenessSeconds: number): void;
}

/** What the history keeps of a result and of a progress report, in characters of JSON. */
const LONGEST_RESULT = 65_536;
const LONGEST_PROGRESS = 4096;
const LONGEST_ERROR = 4096;
const PROGRESS_EVERY_MS = 1000;
/** The word on an attempt is given again until the actor has it: until then its run counts as going on. */
const REPORT_AGAIN_MS = 1000;

/** Runs attempts on this node, outside of any turn. */
export class JobRunner {
  readonly #ports: RunnerPorts;

  constructor(ports: RunnerPorts) {
    this.#ports = ports;
  }

  /** Starts an attempt. The returned function gives it up: its signal is aborted, and nobody hears of it any more. */
  run(job: Job, scheduledAt: number, attempt: number): () => void {
    const { clock } = this.#ports;
    const abort = new AbortController();
    let isOurs = true;
    const startedAt = clock.monotonic();
    const lateness = Math.max(0, clock.now() - scheduledAt) / 1000;
    const progress = this.#progress(job, scheduledAt, attempt);
    void this.#outcomeOf(job, { scheduledAt, attempt, signal: abort.signal, progress: progress.report }, abort).then(
      async (outcome) => {
        progress.stop();
        if (!isOurs) return;
        this.#ports.ran(
          job.name,
          outcome.ok ? "succeeded" : "failed",
          (clock.monotonic() - startedAt) / 1000,
          lateness,
        );
        await this.#report(job.name, scheduledAt, attempt, outcome, () => isOurs);
      },
    );
    return () => {
      isOurs = false;
      progress.stop();
      abort.abort(new Error("the job has moved to another node"));
    };
  }

  async #outcomeOf(job: Job, context: Parameters<Job["run"]>[0], abort: AbortController): Promise<AttemptOutcome> {
    const aborted = Promise.withResolvers<never>();
    const cancel = this.#ports.clock.schedule(
      () => abort.abort(new Error(`timed out after ${job.timeoutMs} ms`)),
      job.timeoutMs,
    );
    abort.signal.addEventListener("abort", () => aborted.reject(abort.signal.reason));
    try {
      const result = await Promise.race([Promise.resolve().then(() => job.run(context)), aborted.promise]);
      return { ok: true, result: shortened(JSON.stringify(result ?? null), LONGEST_RESULT) };
    } catch (error) {
      this.#ports.log.warn(
        { err: error, job: job.name, scheduledAt: context.scheduledAt, attempt: context.attempt },
        "a job's run failed",
      );
      return { ok: false, error: (error instanceof Error ? error.message : String(error)).slice(0, LONGEST_ERROR) };
    } finally {
      cancel();
    }
  }

  async #report(
    job: string,
    scheduledAt: number,
    attempt: number,
    outcome: AttemptOutcome,
    isOurs: () => boolean,
  ): Promise<void> {
    while (isOurs()) {
      try {
        await this.#ports.finish(job, scheduledAt, attempt, outcome);
        return;
      } catch (error) {
        this.#ports.log.warn({ err: error, job, scheduledAt }, "the end of a run could not be stored; trying again");
        await new Promise<void>((resolve) => void this.#ports.clock.schedule(resolve, REPORT_AGAIN_MS));
      }
    }
  }

  /** Writes the latest report, at most one a second. */
  #progress(job: Job, scheduledAt: number, attempt: number): { report(state: unknown): void; stop(): void } {
    const { clock, history, log } = this.#ports;
    let latest: unknown;
    let cancel: (() => void) | undefined;
    const write = (): void => {
      cancel = undefined;
      const text = shortened(JSON.stringify(latest ?? null), LONGEST_PROGRESS);
      history
        .progress(job.name, scheduledAt, attempt, text)
        .catch((error: unknown) => log.debug({ err: error, job: job.name }, "progress could not be written"));
    };
    return {
      report: (state) => {
        latest = state;
        cancel ??= clock.schedule(write, PROGRESS_EVERY_MS);
      },
      stop: () => cancel?.(),
    };
  }
}

/** What is too long is replaced by a note that it was, so that the history stays JSON. */
function shortened(json: string, most: number): string {
  return json.length <= most ? json : JSON.stringify({ tooLong: json.length });
}
