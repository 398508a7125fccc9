import { type Schedule, scheduleFault, type Timetable } from "../../actors/runtime/schedule.ts";
import type { MissedPolicy } from "../../actors/runtime/timers.ts";

/** What a running job is given. */
export interface JobContext {
  /** The time it was due, in epoch milliseconds: what effects are keyed by, so that a repeat changes nothing. */
  readonly scheduledAt: number;
  /** 1 for the first attempt; a further one follows a failure, or the death of the node that ran it. */
  readonly attempt: number;
  /** What an earlier attempt of this run reported last, to go on from there; null when none did. */
  readonly earlierProgress: unknown;
  /** Aborted when the run times out or its node gives the job up; stop at the next chance, since another attempt follows. */
  readonly signal: AbortSignal;
  /** Shows how far the run is (anything that survives JSON, at most 4 kB of it); written at most once a second, and at the end. */
  progress(state: unknown): void;
}

/** A global job: one run each due time in the whole cluster. */
export interface JobDefinition {
  /** `[a-z][a-z0-9-]*`, at most 32. `ENABLE_<NAME>_JOB=false` disables it (dashes become underscores). */
  name: string;
  schedule: Schedule;
  /** IANA name, for a cron pattern; `TZ_SCHEDULES` unless given. */
  timezone?: string;
  /** What becomes of due times that passed while no node lived; `coalesce` unless given. */
  missed?: MissedPolicy;
  /** What becomes of a due time that comes while an earlier run goes on; `skip` unless given, `queue` for a job that `owes`. */
  overlap?: "skip" | "queue";
  /** How long an attempt may take, in milliseconds; 5 minutes unless given. */
  timeoutMs?: number;
  /** Further attempts after a failure, with backoff and jitter; 3 unless given. Then the run is dead-lettered, unless the job `owes`. */
  retries?: number;
  /**
   * Whether its runs owe somebody something (a prize); false unless given. A run that still fails after its retries is overdue: it goes on at
   * longer and longer intervals of at most an hour, each failure is logged as an error and counted, and it ends only when a later run
   * begins. So a run has to make up for whatever earlier ones have left.
   */
  owes?: boolean;
  /** Whether it runs where its variable says nothing; true unless given. */
  enabled?: boolean;
  /**
   * Whether it also runs when a node starts, unless a run of it goes on or waits, or it rests; false unless given. Nodes that start together
   * may each have a run.
   */
  atStart?: boolean;
  /**
   * Answers with a result that survives JSON, which the history keeps (at most 64 kB). May run more than once for one due time,
   * and an attempt that has been given up may still be on its way: effects must be keyed.
   */
  run(context: JobContext): Promise<unknown>;
}

/** A definition with every choice made but the time zone's, which may be the configuration's. */
export type Job = Required<Omit<JobDefinition, "timezone">> & { timezone: string | undefined };

/** When a job is due, and whether it is at all: what its actor keeps, so that the newest definition counts on every node. */
export interface JobPlan extends Timetable {
  enabled: boolean;
}

/** What jobs and tasks may be called. */
export const NAME = /^[a-z][a-z0-9-]{0,31}$/;

/** Checks a definition; throws an Error that names the job and the fault. */
export function defineJob(definition: JobDefinition): Job {
  const job: Job = {
    timezone: undefined,
    missed: "coalesce",
    overlap: definition.owes ? "queue" : "skip",
    timeoutMs: 300_000,
    retries: 3,
    owes: false,
    enabled: true,
    atStart: false,
    ...definition,
  };
  const fault = faultOf(job);
  if (fault) throw new Error(`job ${job.name}: ${fault}`);
  return job;
}

function faultOf({ name, schedule, timezone = "UTC", timeoutMs, retries, owes, overlap }: Job): string | undefined {
  if (!NAME.test(name)) return "a name is [a-z][a-z0-9-]*, at most 32 characters";
  if (!(timeoutMs > 0)) return "timeoutMs must be more than 0";
  if (!(Number.isSafeInteger(retries) && retries >= 0)) return "retries must be a whole number, at least 0";
  if (owes && overlap === "skip") return "a job that owes something skips no due time: overlap must be queue";
  return scheduleFault({ schedule, timezone });
}

/** The variable that enables or disables a job; a job without one is as its definition says. */
export function enablingVariable(name: string): string {
  return `ENABLE_${name.replaceAll("-", "_").toUpperCase()}_JOB`;
}
