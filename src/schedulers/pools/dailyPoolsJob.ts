import { PERIOD_TYPES } from "../../entities/pools/Pool.ts";
import { defineJob, type Job } from "../runtime/defineJob.ts";
import { finalisePools, type PoolsJobPorts } from "./finalising.ts";

const TIMEOUT_MS = 30 * 60_000;

/**
 * Finalises each game's pool of the day that is over, every midnight; and a pool of a week that is over by then, since one that
 * ends by the time zone of before may do so when the job of weeks has just run.
 */
export function dailyPoolsJob(ports: PoolsJobPorts): Job {
  return defineJob({
    name: "daily-pools",
    schedule: { cron: "0 0 * * *" },
    timezone: ports.timezone,
    owes: true,
    timeoutMs: TIMEOUT_MS,
    run: (context) => finalisePools(PERIOD_TYPES, ports, context),
  });
}
