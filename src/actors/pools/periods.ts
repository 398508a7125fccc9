import type { Period, PeriodType } from "../../entities/pools/Pool.ts";

const DAY_MS = 86_400_000;
/** A local day begins within so much of the same date's beginning in UTC. */
const FARTHEST_ZONE_MS = 16 * 3_600_000;
const DAYS: Record<PeriodType, number> = { daily: 1, weekly: 7 };
/** 1970-01-01 was a Thursday. */
const FIRST_MONDAY = 4;

/**
 * The period that a moment falls in: a day from 00:00 to 00:00, or a week from Monday 00:00 to Monday 00:00, by the clocks of an
 * IANA time zone. A day begins at the moment from which on they show its date: at 01:00 where midnight is left out, at the first of
 * two midnights. So periods tile time, and last an hour more or less where clocks change; a date that a zone left out has none.
 */
export function periodAt(type: PeriodType, timezone: string, at: number): Period {
  const step = DAYS[type];
  let first = firstDay(dateOf(timezone, at) / DAY_MS, step);
  // A clock that is set back across midnight shows yesterday's date again.
  while (at >= beginning(timezone, first + step)) first += step;
  while (at < beginning(timezone, first)) first -= step;
  return { startsAt: beginning(timezone, first), endsAt: beginning(timezone, first + step) };
}

/** The period that begins where another one ended: the rest of the one that this moment falls in, should it be none of its beginnings. */
export function periodFrom(type: PeriodType, timezone: string, startsAt: number): Period {
  return { startsAt, endsAt: periodAt(type, timezone, startsAt).endsAt };
}

/** The period before the one that a moment falls in. */
export function periodBefore(type: PeriodType, timezone: string, at: number): Period {
  return periodAt(type, timezone, periodAt(type, timezone, at).startsAt - 1);
}

/**
 * The period that is open at `now`, when `last` is the latest that is known: where the time zone was changed meanwhile, it begins
 * no earlier than `last` ends, so that no moment is in two.
 */
export function openPeriod(type: PeriodType, timezone: string, now: number, last: Period | undefined): Period {
  if (last && last.endsAt > now) return last;
  const { startsAt, endsAt } = periodAt(type, timezone, now);
  return { startsAt: Math.max(startsAt, last?.endsAt ?? startsAt), endsAt };
}

function firstDay(day: number, step: number): number {
  return day - ((((day - FIRST_MONDAY) % step) + step) % step);
}

/** The moment from which on the clocks of a zone show a date, which is told in days since 1970-01-01. */
function beginning(timezone: string, day: number): number {
  const date = day * DAY_MS;
  let [low, high] = [date - FARTHEST_ZONE_MS, date + FARTHEST_ZONE_MS];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (dateOf(timezone, middle) >= date) high = middle;
    else low = middle;
  }
  return high;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** The date that clocks in a zone show, as the beginning of that date in UTC. */
function dateOf(timezone: string, at: number): number {
  let format = formats.get(timezone);
  if (!format) {
    format = new Intl.DateTimeFormat("sv-SE", { timeZone: timezone, dateStyle: "short" });
    formats.set(timezone, format);
  }
  return Date.parse(format.format(at));
}
