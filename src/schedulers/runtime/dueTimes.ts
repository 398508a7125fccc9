import { isDue, planDue } from "../../actors/runtime/schedule.ts";
import type { Rng } from "../../clock.ts";
import type { JobBook } from "../../entities/jobs/JobBook.ts";
import type { Job } from "./defineJob.ts";
import { hasRoom, type JobState, LONGEST_QUEUE, MOST_WAITING, whyNot } from "./runRules.ts";

/** A turn of a job's actor: its state, which changes, and the history that it writes into. */
export interface JobTurn {
  state: JobState;
  book: JobBook;
  /** Epoch milliseconds. */
  now: number;
  rng: Rng;
}

/** Gives each due time that has come its row, and those that are to run their place in the queue. */
export async function takeDue(job: Job, { state, book, now, rng }: JobTurn): Promise<void> {
  const { plan, nextAt, queue, skipAt } = state;
  if (!plan || nextAt === null || nextAt > now || !hasRoom(state)) return;
  const { run, lapsed, next } = planDue(plan, job.missed, { due: nextAt, now, most: MOST_WAITING - queue.length }, rng);
  // A clock that was set back, or a job that was away, may come by a due time again.
  const taken = await book.taken(nextAt, lapsed ?? run.at(-1)!);
  for (const due of run) {
    if (taken.has(due)) continue;
    const why = whyNot(state, job.overlap, due);
    book.add(due, why ? "skipped" : "queued", { why });
    if (!why) queue.push(due);
  }
  if (lapsed !== undefined && !taken.has(lapsed)) book.add(lapsed, "skipped", { why: "missed" });
  state.nextAt = next ?? null;
  book.show({ next_run_at: state.nextAt });
  if (skipAt !== null && (state.nextAt === null || skipAt < state.nextAt)) skip(null, { state, book });
}

/** The due time `at` is to pass without a run (null: none is). */
export function skip(at: number | null, { state, book }: Pick<JobTurn, "state" | "book">): void {
  state.skipAt = at;
  book.show({ skip_at: at });
}

/** The time that a run by hand goes by: now, or as soon as no due time and no other run has it. */
export async function freeTime({ state, book, now, rng }: JobTurn): Promise<number> {
  const { plan, nextAt } = state;
  const taken = await book.taken(now, now + 2 * LONGEST_QUEUE);
  let at = now;
  while (taken.has(at) || at === nextAt || (plan && isDue(plan, at, rng))) at += 1;
  return at;
}
