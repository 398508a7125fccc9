import { describe, isDue, nextDue, planDue } from "../../actors/runtime/schedule.ts";
import type { Rng } from "../../clock.ts";
import type { JobBook } from "../../entities/jobs/JobBook.ts";
import type { Job, JobPlan } from "./defineJob.ts";
import { hasRoom, type JobState, LONGEST_QUEUE, MOST_WAITING, whyNot } from "./runRules.ts";

/** A turn of a job's actor: its state, which changes, and the history that it writes into. */
export interface JobTurn {
  state: JobState;
  book: JobBook;
  /** Epoch milliseconds. */
  now: number;
  rng: Rng;
}

/** Due by this plan from now on. */
export async function adopt(plan: JobPlan, job: Job, turn: JobTurn): Promise<void> {
  const { state, book, now, rng } = turn;
  const schedule = describe(plan.schedule);
  await book.introduce(schedule, plan.timezone);
  // What has come under the old plan is not forgotten over the new one.
  await takeDue(job, turn);
  state.plan = plan;
  state.nextAt = plan.enabled ? (nextDue(plan, now, rng) ?? null) : null;
  if (state.skipAt !== null) skip(state.nextAt, turn);
  book.show({ schedule, timezone: plan.timezone, enabled: plan.enabled ? 1 : 0, next_run_at: state.nextAt });
  book.show({ paused: state.paused ? 1 : 0, quarantined: state.quarantined ? 1 : 0 });
}

/** Whether the next due time is later than the plan has it from now on: the clock was ahead when it was found, and is right again. */
export function isPutOff({ plan, nextAt }: JobState, now: number, rng: Rng): boolean {
  if (!plan?.enabled) return false;
  const { schedule } = plan;
  const latest = "jitterMs" in schedule ? now + schedule.everyMs + schedule.jitterMs : nextDue(plan, now, rng);
  return latest !== undefined && (nextAt ?? Number.POSITIVE_INFINITY) > latest;
}

/** Has a due time that was put off come when the plan has it from now on. Due times that have had their rows pass by it once more. */
export function bringForward({ state, book, now, rng }: JobTurn): void {
  if (!isPutOff(state, now, rng)) return;
  state.nextAt = nextDue(state.plan!, now, rng)!;
  book.show({ next_run_at: state.nextAt });
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
