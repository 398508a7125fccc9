import { z } from "zod";
import { callOptions } from "../actors/admin/operatorCall.ts";
import type { CallOptions } from "../actors/runtime/Calls.ts";
import type { JobRun, JobsStatus } from "../entities/jobs/Job.ts";
import { limitOf, none, nothing, time } from "./fields.ts";
import { operationsWith } from "./Operation.ts";

/** Jobs as operators have them. Each call that names a job throws `not_found` when there is none of that name. */
export interface JobControl {
  status(): Promise<JobsStatus>;
  /** Newest first. */
  history(limit: number, job?: string): Promise<JobRun[]>;
  trigger(job: string, options: CallOptions): Promise<{ scheduledAt: number }>;
  pause(job: string, options: CallOptions): Promise<void>;
  resume(job: string, options: CallOptions): Promise<void>;
  skipNext(job: string, options: CallOptions): Promise<{ skipped: number | null }>;
}

/** What these need of the node. */
export interface JobOperationServices {
  jobs: JobControl;
}

const { command, query } = operationsWith<JobOperationServices>();

const job = z.string().min(1).max(32);
const named = z.strictObject({ job });

const run = z.object({
  job: z.string(),
  task: z.string().optional(),
  scheduledAt: time,
  node: z.string().nullable(),
  epoch: z.int().nullable(),
  attempt: z.int(),
  startedAt: time.nullable(),
  finishedAt: time.nullable(),
  latenessMs: z.number().nullable(),
  outcome: z.enum(["queued", "running", "retrying", "succeeded", "dead", "skipped"]),
  error: z.string().nullable(),
  result: z.unknown(),
  progress: z.unknown(),
  byHand: z.boolean(),
});
const counts = { runs: z.int(), successes: z.int(), failures: z.int() };
const status = z.object({
  ...counts,
  successRate: z.number().nullable(),
  jobs: z.array(
    z.object({
      name: z.string(),
      schedule: z.string(),
      timezone: z.string(),
      enabled: z.boolean(),
      paused: z.boolean(),
      quarantined: z.boolean(),
      nextRunAt: time.nullable(),
      skipAt: time.nullable(),
      ...counts,
      runningOn: z.string().nullable(),
      lastRun: run.nullable(),
      lastDead: run.nullable(),
    }),
  ),
});

/** What operators do to jobs. */
export const JOB_COMMANDS = [
  command("pauseJob", {
    description: "Due times pass without a run until the job is resumed.",
    args: named,
    answer: nothing,
    run: (args, { jobs }, call) => jobs.pause(args.job, callOptions(call)),
  }),
  command("resumeJob", {
    description: "The job runs again when it is due. Also lifts the quarantine of one that crashed its nodes.",
    args: named,
    answer: nothing,
    run: (args, { jobs }, call) => jobs.resume(args.job, callOptions(call)),
  }),
  command("skipJob", {
    description: "The next due time passes without a run.",
    args: named,
    answer: z.object({ skipped: time.nullable() }),
    run: (args, { jobs }, call) => jobs.skipNext(args.job, callOptions(call)),
  }),
  command("triggerJob", {
    description: "Runs the job now, also while it is paused. With a request id, a repeat is the same run.",
    args: named,
    answer: z.object({ scheduledAt: time }),
    endpoint: {
      method: "POST",
      path: "/jobs/trigger/:job",
      status: 202,
      body: ({ scheduledAt }, args) => ({ job: args.job, scheduledAt }),
    },
    run: (args, { jobs }, call) => jobs.trigger(args.job, callOptions(call)),
  }),
];

/** What is asked of jobs. */
export const JOB_QUERIES = [
  query("jobs", {
    description: "The jobs that the node knows, at a glance.",
    args: none,
    answer: status,
    endpoint: { method: "GET", path: "/jobs/status", role: "operator" },
    run: (_args, { jobs }) => jobs.status(),
  }),
  query("jobHistory", {
    description: "Runs of jobs and tasks, newest first.",
    args: z.strictObject({ limit: limitOf(200, 20), job: job.optional() }),
    answer: z.array(run),
    endpoint: { method: "GET", path: "/jobs/history", role: "operator", body: (runs) => ({ runs }) },
    run: ({ limit, job: of }, { jobs }) => jobs.history(limit, of),
  }),
];
