import type { Clock } from "../../clock.ts";
import type { Sql } from "../../entities/sql.ts";
import { defineJob, type Job } from "../runtime/defineJob.ts";
import { ensureNotAhead } from "../runtime/notAhead.ts";
import { deleteRows, type Purge } from "./purges.ts";

/** Rows of one kind a run, give or take a batch. What is beyond is left to the next night. */
const MOST_A_RUN = 200_000;
const TIMEOUT_MS = 30 * 60_000;

export interface RetentionJobPorts {
  database: Sql;
  /** Of every domain, in this order. */
  purges: readonly Purge[];
  clock: Pick<Clock, "now">;
  /** For every kind; `MOST_A_RUN` or the kind's own unless told. */
  mostARun?: number;
}

/** What a run removed. */
export interface Removed {
  /** Rows by kind. */
  rows: Record<string, number>;
  /** Kinds of which the run left some. */
  more: string[];
}

/**
 * Removes what is of no use any more, every night at three. It may be broken off at any point and run again. Throws before anything
 * is removed when this node's clock is ahead.
 */
export function retentionJob(ports: RetentionJobPorts): Job {
  return defineJob({
    name: "retention",
    schedule: { cron: "0 3 * * *" },
    timeoutMs: TIMEOUT_MS,
    run: ({ signal, progress }) => removeOldRows(ports, signal, progress),
  });
}

async function removeOldRows(
  { database, purges, clock, mostARun }: RetentionJobPorts,
  signal: AbortSignal,
  progress: (state: Removed) => void,
): Promise<Removed> {
  const removed: Removed = { rows: {}, more: [] };
  const now = clock.now();
  await ensureNotAhead(now, { database });
  for (const { name, table, batches, mostARun: mostOfIt = MOST_A_RUN } of purges) {
    const most = mostARun ?? mostOfIt;
    removed.rows[name] = 0;
    for await (const keys of batches(database, now, signal)) {
      if (removed.rows[name] >= most) {
        removed.more.push(name);
        break;
      }
      removed.rows[name] += await deleteRows(database, table, keys);
      progress(removed);
    }
  }
  return removed;
}
