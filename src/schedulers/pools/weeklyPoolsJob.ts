import { defineJob, type Job } from "../runtime/defineJob.ts";
import { finalisePools, type PoolsJobPorts } from "./finalising.ts";

const TIMEOUT_MS = 30 * 60_000;

/** Finalises each game's pool of the week that is over, at midnight before Monday. */
export function weeklyPoolsJob(ports: PoolsJobPorts): Job {
  return defineJob({
    name: "weekly-pools",
    schedule: { cron: "0 0 * * 1" },
    timezone: ports.timezone,
    owes: true,
    timeoutMs: TIMEOUT_MS,
    run: (context) => finalisePools(["weekly"], ports, context),
  });
}
