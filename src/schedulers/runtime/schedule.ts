import { Cron } from "croner";
import type { MissedPolicy } from "../../actors/runtime/timers.ts";
import type { Rng } from "../../clock.ts";

/** When a job is due. */
export type Schedule =
  /** A cron pattern (croner's: five fields, or six with seconds), in the job's time zone. */
  | { cron: string }
  /** Every so many milliseconds, on multiples of that since the epoch, so that all nodes agree. */
  | { everyMs: number }
  /** After each time, the next is `everyMs` later, give or take up to `jitterMs`, at random. */
  | { everyMs: number; jitterMs: number };

/** The time zone of `schedule` where it has none. */
export const DEFAULT_ZONE = "UTC";

/** The first due time after `after` (epoch milliseconds); undefined when there will be none. */
export function nextDue(schedule: Schedule, timezone: string, after: number, rng: Rng): number | undefined {
  if ("cron" in schedule) return cronOf(schedule.cron, timezone).nextRun(new Date(after))?.getTime();
  const { everyMs } = schedule;
  if ("jitterMs" in schedule) return Math.round(after + everyMs + (2 * rng.next() - 1) * schedule.jitterMs);
  return Math.floor(after / everyMs) * everyMs + everyMs;
}

/** What is wrong with a schedule, or undefined. */
export function scheduleFault(schedule: Schedule, timezone: string): string | undefined {
  try {
    new Intl.DateTimeFormat("en", { timeZone: timezone });
    if ("cron" in schedule) return cronOf(schedule.cron, timezone).nextRun() ? undefined : "the pattern is never due";
  } catch (error) {
    return (error as Error).message;
  }
  if (!(schedule.everyMs >= 100)) return "everyMs must be at least 100";
  if ("jitterMs" in schedule && !(schedule.jitterMs >= 0 && schedule.jitterMs < schedule.everyMs))
    return "jitterMs must be less than everyMs";
  return undefined;
}

const crons = new Map<string, Cron>();

/** Parsing is slow beside asking; jobs are few. */
function cronOf(pattern: string, timezone: string): Cron {
  const key = `${timezone} ${pattern}`;
  const known = crons.get(key);
  if (known) return known;
  const cron = new Cron(pattern, { timezone, paused: true });
  crons.set(key, cron);
  return cron;
}

/** Due times that are made up for in one turn; the rest follow in further turns. */
export const MOST_TICKS = 100;
/** For `skip`: a due time later than this has been missed. */
const MISSED_AFTER_MS = 10_000;

/** Which due times are to be run now, and which comes next. */
export interface DuePlan {
  run: number[];
  next: number | undefined;
}

/** Applies the policy for missed due times, from `due` (which has come) up to `now`. */
export function planDue(
  due: number,
  now: number,
  missed: MissedPolicy,
  next: (after: number) => number | undefined,
): DuePlan {
  const ticks: number[] = [];
  let at: number | undefined = due;
  while (at !== undefined && at <= now) {
    ticks.push(at);
    if (missed === "fire" && ticks.length === MOST_TICKS) return { run: ticks, next: next(at) };
    if (missed !== "fire") ticks.splice(0, ticks.length - 1);
    at = next(at);
  }
  const run = missed === "skip" ? ticks.filter((tick) => now - tick <= MISSED_AFTER_MS) : ticks;
  return { run, next: at };
}
