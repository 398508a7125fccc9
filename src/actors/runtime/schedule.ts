import { Cron } from "croner";
import { isTimezone, type Rng } from "../../clock.ts";
import { DAY_MS, endOfGap, offsetAt, readingAt } from "./clockGaps.ts";
import type { MissedPolicy } from "./timers.ts";

/** When a job is due. */
export type Schedule =
  /** A cron pattern in the job's time zone: five fields, six with seconds, or a nickname such as `@daily`. */
  | { cron: string }
  /** Every so many milliseconds, on multiples of that since the epoch, so that all nodes agree. */
  | { everyMs: number }
  /** After each time, the next is `everyMs` later, give or take up to `jitterMs`, at random. */
  | { everyMs: number; jitterMs: number };

/** A schedule and the IANA time zone that its cron pattern is read in. */
export interface Timetable {
  schedule: Schedule;
  timezone: string;
}

/** Below this a job is no job but a loop. */
const SHORTEST_PERIOD_MS = 100;
/** What the table `jobs` has room for. */
const LONGEST_PATTERN = 128;

/** The first due time after `after` (epoch milliseconds); undefined when there will be none. */
export function nextDue({ schedule, timezone }: Timetable, after: number, rng: Rng): number | undefined {
  if ("cron" in schedule) return nextOfCron(schedule.cron, timezone, after);
  const { everyMs } = schedule;
  if ("jitterMs" in schedule) return Math.round(after + everyMs + (2 * rng.next() - 1) * schedule.jitterMs);
  return Math.floor(after / everyMs) * everyMs + everyMs;
}

/** The first time after `after` that a pattern names; undefined when there will be none. */
export function nextOfCron(cron: string, timezone: string, after: number): number | undefined {
  const next = cronOf(cron, timezone).nextRun(new Date(after))?.getTime();
  return FIXED_TIMES.test(cron.trim()) ? (passedOver(cron, timezone, after, next) ?? next) : next;
}

/** Patterns without a wildcard or a step in seconds, minutes and hours: each of their times has its day. */
const FIXED_TIMES = /^([^*?/\s@]+\s+){2,3}\S+\s+\S+\s+\S+$/;

/**
 * The time between `after` and croner's `next` that croner leaves out: one whose gap, as clocks go forward, ends at midnight, and so on
 * another day than the pattern's. It is due at the first moment after the gap, as with any other gap.
 */
function passedOver(cron: string, timezone: string, after: number, next: number | undefined): number | undefined {
  const isNear = next !== undefined && next - after < DAY_MS;
  if (isNear && offsetAt(after, timezone) === offsetAt(next, timezone)) return undefined;
  const until = next === undefined ? Number.POSITIVE_INFINITY : readingAt(next, timezone);
  // Asked in a time zone without gaps.
  const named = cronOf(cron, "UTC");
  let reading = readingAt(after, timezone);
  for (;;) {
    const following = named.nextRun(new Date(reading))?.getTime();
    if (following === undefined || following >= until) return undefined;
    const end = endOfGap(following, timezone);
    if (end !== undefined && end > after && (next === undefined || end < next)) return end;
    reading = following;
  }
}

/** The shortest time between two of a pattern's next `count` due times after `after`, in milliseconds; Infinity where there are not two. */
export function shortestGap(cron: string, timezone: string, after: number, count: number): number {
  const times = cronOf(cron, timezone).nextRuns(count, new Date(after));
  return Math.min(...times.slice(1).map((time, at) => time.getTime() - times[at]!.getTime()));
}

/** Whether the schedule by itself makes `at` a due time. A jittered schedule knows only of the one that it has drawn. */
export function isDue({ schedule, timezone }: Timetable, at: number, rng: Rng): boolean {
  if ("jitterMs" in schedule || ("cron" in schedule && at % 1000 !== 0)) return false;
  return nextDue({ schedule, timezone }, at - 1, rng) === at;
}

/** What is wrong with a schedule, or undefined. */
export function scheduleFault({ schedule, timezone }: Timetable): string | undefined {
  if (!isTimezone(timezone)) return `there is no time zone ${timezone}`;
  try {
    if ("cron" in schedule) return cronFault(schedule.cron, timezone);
  } catch (error) {
    return (error as Error).message;
  }
  if (!(Number.isSafeInteger(schedule.everyMs) && schedule.everyMs >= SHORTEST_PERIOD_MS))
    return `everyMs must be a whole number, at least ${SHORTEST_PERIOD_MS}`;
  if (!("jitterMs" in schedule)) return undefined;
  const isWithin = Number.isSafeInteger(schedule.jitterMs) && schedule.jitterMs >= 0;
  return isWithin && schedule.jitterMs < schedule.everyMs ? undefined : "jitterMs must be less than everyMs";
}

function cronFault(pattern: string, timezone: string): string | undefined {
  // It stands for the moment at which the pattern is read, on which no two nodes agree.
  if (pattern.includes("?")) return "a pattern must not have a question mark";
  // Anything else is read as a date, at which it would be due once.
  if (!pattern.trim().startsWith("@") && !/^\s*(\S+\s+){4,5}\S+\s*$/.test(pattern))
    return "a pattern has five fields, or six with seconds";
  if (pattern.length > LONGEST_PATTERN) return `a pattern has at most ${LONGEST_PATTERN} characters`;
  return cronOf(pattern, timezone).nextRun() ? undefined : "the pattern is never due";
}

/** A schedule in words. */
export function describe(schedule: Schedule): string {
  if ("cron" in schedule) return schedule.cron;
  return "jitterMs" in schedule
    ? `every ${schedule.everyMs} ms ± ${schedule.jitterMs} ms`
    : `every ${schedule.everyMs} ms`;
}

/** Patterns that are kept as parsed: more than there are jobs and series at a time, fewer than operators could ever send. */
const KNOWN_CRONS = 300;

/** Those used last are last. */
const crons = new Map<string, Cron>();

/** Parsing is slow beside asking. */
function cronOf(pattern: string, timezone: string): Cron {
  const key = `${timezone} ${pattern}`;
  // "no-wildcard": a job at named hours has each of them once a day, whatever the clocks do in the night.
  const cron = crons.get(key) ?? new Cron(pattern, { timezone, paused: true, fixedTimeRule: "no-wildcard" });
  crons.delete(key);
  crons.set(key, cron);
  if (crons.size > KNOWN_CRONS) crons.delete(crons.keys().next().value!);
  return cron;
}

/** For `skip`: a due time that is found this late, in milliseconds, has been missed. */
const MISSED_AFTER_MS = 10_000;

/** Which due times have come, and which is next. */
export interface DuePlan {
  /** To be run, oldest first. All but the newest were missed; `coalesce` and `skip` have at most one. */
  run: number[];
  /** For `skip`: the newest of those that were missed and are let go. */
  lapsed: number | undefined;
  next: number | undefined;
}

/**
 * Applies the policy for missed due times, from `due` (which has come) up to `now`. For `fire` at most `most` are in one plan;
 * then `next` has come already, and the rest follow from there.
 */
export function planDue(
  timetable: Timetable,
  missed: MissedPolicy,
  times: { due: number; now: number; most: number },
  rng: Rng,
): DuePlan {
  const { due, now, most } = times;
  if (missed === "fire") {
    const run: number[] = [];
    let at: number | undefined = due;
    for (; at !== undefined && at <= now && run.length < most; at = nextDue(timetable, at, rng)) run.push(at);
    return { run, lapsed: undefined, next: at };
  }
  const newest = newestDue(timetable, due, now, rng);
  const following = nextDue(timetable, newest, rng);
  // Only a jittered time drawn from one long past can have come already.
  const next = following !== undefined && following <= now ? nextDue(timetable, now, rng) : following;
  const isLapsed = missed === "skip" && now - newest > MISSED_AFTER_MS;
  return { run: isLapsed ? [] : [newest], lapsed: isLapsed ? newest : undefined, next };
}

/** The newest due time up to `now`; `due` is one. An outage may have been long, so it does not walk through all of them. */
function newestDue(timetable: Timetable, due: number, now: number, rng: Rng): number {
  const { schedule } = timetable;
  if ("jitterMs" in schedule) return due;
  if (!("cron" in schedule)) return Math.max(due, Math.floor(now / schedule.everyMs) * schedule.everyMs);
  const comesAfter = (at: number): boolean => (nextDue(timetable, at, rng) ?? Number.POSITIVE_INFINITY) <= now;
  let [low, high] = [due - 1, now];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (comesAfter(middle)) low = middle;
    else high = middle;
  }
  return nextDue(timetable, low, rng)!;
}
