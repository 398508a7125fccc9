import type { MissedPolicy } from "../../actors/runtime/timers.ts";
import { DEFAULT_ZONE, type Schedule, scheduleFault } from "./schedule.ts";

/** What a running job is given. */
export interface JobContext {
  /** The time it was due, in epoch milliseconds: what effects are keyed by, so that a repeat changes nothing. */
  readonly scheduledAt: number;
  /** 1 for the first attempt; a further one follows a failure, or the death of the node that ran it. */
  readonly attempt: number;
  /** Aborted when the run times out or its node gives the job up; stop at the next chance. */
  readonly signal: AbortSignal;
  /** Shows how far the run is (anything that survives JSON, at most 4 kB); written at most once a second. */
  progress(state: unknown): void;
}

/** A global job: one run each due time in the whole cluster. */
export interface JobDefinition {
  /** `[a-z][a-z0-9-]*`, at most 32. `ENABLE_<NAME>_JOB=false` disables it (dashes become underscores). */
  name: string;
  schedule: Schedule;
  /** IANA name; `TZ_SCHEDULES` (UTC) unless given. */
  timezone?: string;
  /** What becomes of due times that passed while no node lived; `coalesce` unless given. */
  missed?: MissedPolicy;
  /** What becomes of a due time while an earlier run goes on; `skip` unless given. */
  overlap?: "skip" | "queue";
  /** How long a run may take, in milliseconds; 5 minutes unless given. */
  timeoutMs?: number;
  /** Further attempts after a failure, with backoff and jitter; 3 unless given. Then the run is dead-lettered. */
  retries?: number;
  enabled?: boolean;
  /** Answers with a result that survives JSON, which the history keeps (at most 64 kB). May run more than once for one due time. */
  run(context: JobContext): Promise<unknown>;
}

/** A definition with every choice made. */
export type Job = Required<JobDefinition>;

const NAME = /^[a-z][a-z0-9-]{0,31}$/;

/** Checks a definition; throws an Error that names the job and the fault. */
export function defineJob(definition: JobDefinition, defaultZone: string = DEFAULT_ZONE): Job {
  const job: Job = {
    timezone: defaultZone,
    missed: "coalesce",
    overlap: "skip",
    timeoutMs: 300_000,
    retries: 3,
    enabled: true,
    ...definition,
  };
  if (!NAME.test(job.name)) throw new Error(`job ${job.name}: a name is [a-z][a-z0-9-]*, at most 32 characters`);
  const fault = scheduleFault(job.schedule, job.timezone);
  if (fault) throw new Error(`job ${job.name}: ${fault}`);
  return job;
}

/** The variable that disables a job. */
export function enablingVariable(name: string): string {
  return `ENABLE_${name.replaceAll("-", "_").toUpperCase()}_JOB`;
}

/** Only the word `false` disables. */
export function isEnabledBy(env: Record<string, string | undefined>, name: string): boolean {
  return env[enablingVariable(name)]?.toLowerCase() !== "false";
}
