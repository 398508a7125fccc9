import type { Job } from "./defineJob.ts";
import { hasRoom, type JobState, longestBackoffMs } from "./runRules.ts";

export type JobTimer = "due" | "retry" | "supervise";

/** A running job's actor looks this often whether its attempt is still here: after its node died it is not. */
export const SUPERVISE_MS = 1000;

/**
 * What is to be changed so that a job's timers are as its state calls for: when each such timer is to fire, null for one that is
 * not to. `armed` says when they are due, undefined for one that is not armed. Times are epoch milliseconds.
 */
export function timerChanges(
  state: JobState,
  { owes }: Pick<Job, "owes">,
  armed: (timer: JobTimer) => number | undefined,
  now: number,
): Map<JobTimer, number | null> {
  const { nextAt, active } = state;
  const changes = new Map<JobTimer, number | null>();
  const want = (timer: JobTimer, at: number | null): void => {
    if ((armed(timer) ?? null) !== at) changes.set(timer, at);
  };
  /** What is armed for later than that was armed by a clock that was ahead. */
  const wantWithin = (timer: JobTimer, ms: number, otherwise: number): void => {
    const due = armed(timer);
    if (due === undefined || due > now + ms) want(timer, otherwise);
  };
  want("due", hasRoom(state) ? nextAt : null);
  if (active?.isWaiting) wantWithin("retry", longestBackoffMs(active.failures, owes), now);
  else want("retry", null);
  if (active && !active.isWaiting) wantWithin("supervise", SUPERVISE_MS, now + SUPERVISE_MS);
  else want("supervise", null);
  return changes;
}
