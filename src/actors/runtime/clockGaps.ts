/** A wall clock's reading as if it were UTC, in epoch milliseconds. */
type Reading = number;

export const DAY_MS = 86_400_000;

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timezone: string): Intl.DateTimeFormat {
  const known = formats.get(timezone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: timezone,
    hourCycle: "h23",
    ...{ year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" },
  });
  formats.set(timezone, format);
  return format;
}

/** What clocks in the time zone read at this moment, to the second. */
export function readingAt(moment: number, timezone: string): Reading {
  const at: Record<string, number> = {};
  for (const { type, value } of formatOf(timezone).formatToParts(moment)) at[type] = Number(value);
  return Date.UTC(at.year!, at.month! - 1, at.day!, at.hour!, at.minute!, at.second!);
}

/** By how much clocks in the time zone are ahead of UTC, in milliseconds. */
export function offsetAt(moment: number, timezone: string): number {
  return readingAt(moment, timezone) - Math.floor(moment / 1000) * 1000;
}

/** The first moment after the gap in which clocks pass over this reading; undefined when they do read it at some moment. */
export function endOfGap(reading: Reading, timezone: string): number | undefined {
  const before = offsetAt(reading - DAY_MS, timezone);
  const after = offsetAt(reading + DAY_MS, timezone);
  const isRead = [before, after].some((offset) => offsetAt(reading - offset, timezone) === offset);
  if (isRead || after <= before) return undefined;
  // Clocks are set forward in between.
  let [low, high] = [reading - after, reading - before];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(middle, timezone) === before) low = middle;
    else high = middle;
  }
  return high;
}
