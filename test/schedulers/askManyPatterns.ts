/** Started by `schedule.test.ts`: asks when many patterns are due, and tells what it heard and how many are kept as parsed. */
import { queryObjects } from "node:v8";
import { Cron } from "croner";
import { nextDue } from "../../src/actors/runtime/schedule.ts";
import { seededRng } from "../../src/clock.ts";

const rng = seededRng(1);
const pattern = (n: number): string => `${n % 60} ${Math.floor(n / 60)} * * *`;
const dueOf = (n: number): number => nextDue({ schedule: { cron: pattern(n) }, timezone: "UTC" }, 0, rng)!;

const due = Array.from({ length: 1000 }, (_, n) => dueOf(n));
const kept = queryObjects(Cron, { format: "count" });
process.send!({ due, kept, again: dueOf(1) });
