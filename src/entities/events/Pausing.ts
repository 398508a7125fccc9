import { RingmasterError } from "../../errors.ts";
import { EVENT_ERRORS } from "./errors.ts";

/** How an event stands that was ever paused. Times are epoch milliseconds. */
export interface Pausing {
  /** How often it was paused and resumed, each counted: odd while it is paused. What was decided at another count is not committed. */
  count: number;
  /** How long it was paused before, in all, in milliseconds. */
  pausedMs: number;
  /** While it is paused: since when, and when it is resumed at the latest. */
  pausedAt?: number;
  resumesAt?: number;
}

/** As clients and operators are told of an event that is paused. */
export interface PausedStatus {
  pausedAt?: number;
  resumesAt?: number;
}

export function isPaused(pausing: Pausing | null | undefined): pausing is Pausing & Required<PausedStatus> {
  return pausing?.pausedAt !== undefined;
}

export function beginPause(before: Pausing | undefined, pausedAt: number, resumesAt: number): Pausing {
  const { count, pausedMs } = before ?? { count: 0, pausedMs: 0 };
  return { count: count + 1, pausedMs, pausedAt, resumesAt };
}

/** How an event stands that goes on at `now`, and for how long it was paused: so much is given back. */
export function endPause(
  { count, pausedMs, pausedAt }: Pausing & Required<PausedStatus>,
  now: number,
): { pausing: Pausing; ms: number } {
  const ms = Math.max(0, now - pausedAt);
  return { pausing: { count: count + 1, pausedMs: pausedMs + ms }, ms };
}

/** Nothing is said of an event that is not paused. */
export function pausedStatus(pausing: Pausing | null | undefined): PausedStatus {
  if (!isPaused(pausing)) return {};
  const { pausedAt, resumesAt } = pausing;
  return { pausedAt, resumesAt };
}

/** Why nothing is taken of an event now, and will be again. */
export function pausedError(pausing: Pausing | null | undefined): RingmasterError {
  return new RingmasterError(EVENT_ERRORS.paused, undefined, pausedStatus(pausing));
}

/** The time of an event that stands still while it is paused: what ends by it is given back the time. */
export function eventTime(pausing: Pausing | null | undefined, now: number): number {
  return (isPaused(pausing) ? Math.min(now, pausing.pausedAt) : now) - (pausing?.pausedMs ?? 0);
}

/** When the event's time will have come to `time`, if it is not paused (again). */
export function wallTime(pausing: Pausing | null | undefined, time: number): number {
  return time + (pausing?.pausedMs ?? 0);
}
