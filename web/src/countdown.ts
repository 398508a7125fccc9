import { useEffect, useState } from "preact/hooks";
import type { ServerClock } from "./serverClock.ts";

/** How often a countdown looks at the clock: often enough that no second is skipped. */
const LOOK_MS = 250;

/** The server's time, rendering the component again as it passes. */
export function useServerNow(clock: ServerClock): number {
  const [now, setNow] = useState(() => clock.now());
  useEffect(() => {
    setNow(clock.now());
    const timer = setInterval(() => setNow(clock.now()), LOOK_MS);
    return () => clearInterval(timer);
  }, [clock]);
  return now;
}

/** "2 d 04:10:09", "1:02:03", "7:42", "0:05"; what is past is "0:00". */
export function countdownText(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  const tail = `${two(minutes)}:${two(seconds % 60)}`;
  if (days > 0) return `${days} d ${two(hours)}:${tail}`;
  return hours > 0 ? `${hours}:${tail}` : tail.replace(/^0/, "");
}

/** What a longer wait is told in, the largest first. */
const UNITS: readonly [ms: number, text: Intl.NumberFormat][] = [
  [86_400_000, unit("day")],
  [3_600_000, unit("hour")],
  [60_000, unit("minute")],
];

/** "12 seconds", "4 minutes": so long, in the largest unit that there are two of. */
export function waitText(ms: number): string {
  const found = UNITS.find(([each]) => ms >= 2 * each);
  return found ? found[1].format(Math.ceil(ms / found[0])) : unit("second").format(Math.max(1, Math.ceil(ms / 1000)));
}

function unit(name: string): Intl.NumberFormat {
  return new Intl.NumberFormat("en", { style: "unit", unit: name, unitDisplay: "long" });
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
