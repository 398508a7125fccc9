import { defineJob, type Job } from "../runtime/defineJob.ts";
import { finalisePools, type PoolsJobPorts } from "./finalising.ts";

const TIMEOUT_MS = 30 * 60_000;

/** Finalises each game's pool of the day that is over, every midnight. */
export function dailyPoolsJob(ports: PoolsJobPorts): Job {
  return defineJob({
    name: "daily-pools",
    schedule: { cron: "0 0 * * *" },
    timezone: ports.timezone,
    timeoutMs: TIMEOUT_MS,
    run: (context) => finalisePools("daily", ports, context),
  });
}
