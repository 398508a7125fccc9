import { z } from "zod";
import { callOptions } from "../../actors/admin/operatorCall.ts";
import type { JobRun, JobsStatus } from "../../entities/jobs/Job.ts";
import { validate } from "../../validate.ts";
import type { Verbs } from "./verbs.ts";

/** Jobs as operators have them. Each call that names a job throws `not_found` when there is none of that name. */
export interface JobControl {
  status(): Promise<JobsStatus>;
  /** Newest first. */
  history(limit: number, job?: string): Promise<JobRun[]>;
  trigger(job: string, requestId?: string): Promise<{ scheduledAt: number }>;
  pause(job: string, requestId?: string): Promise<void>;
  resume(job: string, requestId?: string): Promise<void>;
  skipNext(job: string, requestId?: string): Promise<{ skipped: number | null }>;
}

const job = z.string().min(1).max(32);
const named = z.strictObject({ job });
const historyOf = z.strictObject({ limit: z.int().min(1).max(200).default(20), job: job.optional() });

export interface JobVerbServices {
  jobs: JobControl;
}

export const JOB_VERBS: Verbs<JobVerbServices> = {
  commands: {
    pauseJob: (args, { jobs }, call) => jobs.pause(validate(named, args).job, callOptions(call).requestId),
    resumeJob: (args, { jobs }, call) => jobs.resume(validate(named, args).job, callOptions(call).requestId),
    skipJob: (args, { jobs }, call) => jobs.skipNext(validate(named, args).job, callOptions(call).requestId),
    triggerJob: (args, { jobs }, call) => jobs.trigger(validate(named, args).job, callOptions(call).requestId),
  },
  queries: {
    jobs: (_args, { jobs }) => jobs.status(),
    jobHistory: (args, { jobs }) => {
      const { limit, job: of } = validate(historyOf, args);
      return jobs.history(limit, of);
    },
  },
};
