import type { Rng } from "../../clock.ts";
import type { Job, JobPlan } from "./defineJob.ts";

export interface ActiveRun {
  scheduledAt: number;
  /** The latest attempt: it runs, or, while `isWaiting`, it has failed and the next one comes by the timer `retry`. */
  attempt: number;
  isWaiting: boolean;
  /** Attempts that failed by themselves; those that were lost with their node do not count. */
  failures: number;
  /** Attempts in a row whose node fell silent before they had run for long. */
  deaths: number;
  /** When the latest attempt began. */
  startedAt: number;
}

/** What a job's actor keeps. Times are epoch milliseconds. */
export interface JobState {
  /** Nothing until a node has armed the job. */
  plan: JobPlan | null;
  /** The next due time: all before it have their rows. */
  nextAt: number | null;
  /** The due time that is to pass without a run. */
  skipAt: number | null;
  paused: boolean;
  /** Its runs killed their nodes: nothing of it runs until an operator resumes it. */
  quarantined: boolean;
  /** Due times that wait for the running one. */
  queue: number[];
  active: ActiveRun | null;
}

export function initialState(): JobState {
  return { plan: null, nextAt: null, skipAt: null, paused: false, quarantined: false, queue: [], active: null };
}

/** Due times that wait for a slow run; beyond them due times stay uncounted until there is room, and follow then. */
export const MOST_WAITING = 100;
/** With fewer waiting there is room again. */
const ROOM_AGAIN = 50;
/** Runs that wait, those that operators asked for among them. */
export const LONGEST_QUEUE = 200;

/** Whether due times that come may be looked at now. */
export function hasRoom({ queue }: JobState): boolean {
  return queue.length < ROOM_AGAIN;
}

/** Why a due time that has come has no run; undefined when it has one. */
export function whyNot(state: JobState, overlap: Job["overlap"], due: number): string | undefined {
  if (state.quarantined) return "quarantined";
  if (state.paused) return "paused";
  if (due === state.skipAt) return "skipped by an operator";
  // Only what was going on at that time: due times that were missed all wait for the one that makes up for them.
  const isOverlap = overlap === "skip" && state.active !== null && state.active.startedAt < due;
  return isOverlap ? "an earlier run was going on" : undefined;
}

const FIRST_BACKOFF_MS = 1000;
const LONGEST_BACKOFF_MS = 300_000;
/** An overdue run may go on for a week: more often would say the same a thousand times. */
const LONGEST_BACKOFF_OWING_MS = 3_600_000;

/** How long to wait after this many failures at most, in milliseconds: 1, 2, 4 s … 5 minutes, or an hour where something is owed. */
export function longestBackoffMs(failures: number, owes = false): number {
  return Math.min(owes ? LONGEST_BACKOFF_OWING_MS : LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (failures - 1));
}

/** How long to wait after this many failures, in milliseconds: the longest, less up to half at random. */
export function backoffMs(failures: number, rng: Rng, owes = false): number {
  return longestBackoffMs(failures, owes) * (0.5 + rng.next() / 2);
}

/** Whether the retries of a run that owes something are used up. */
export function isOverdue({ failures }: Pick<ActiveRun, "failures">, { owes, retries }: Job): boolean {
  return owes && failures > retries;
}

/** A run whose node died this often in a row, each time within `PROVEN_MS`, has killed them. */
const DEATHS_TO_QUARANTINE = 3;
/** An attempt this old, in milliseconds, has shown that it does not kill its node. */
const PROVEN_MS = 10_000;

export function isPoison({ deaths }: Pick<ActiveRun, "deaths">): boolean {
  return deaths >= DEATHS_TO_QUARANTINE;
}

export function isProven({ startedAt }: Pick<ActiveRun, "startedAt">, now: number): boolean {
  return now - startedAt >= PROVEN_MS;
}
