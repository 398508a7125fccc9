/**
 * `npm run chaos`: four nodes with players, on a private Redis and MariaDB, and fault after fault. Ends with what was violated, and
 * a report. `npm run chaos -- --minutes 10 --seed 7 --only "database|redis-cut"`
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runChaos } from "../test/chaos/runChaos.ts";
import { flags } from "./flags.ts";

const USAGE = `npm run chaos -- [--minutes N] [--seed S] [--only PATTERN]
  --minutes  for how long faults come; 5 unless given
  --seed     decides which fault comes when, and what players do; by the clock unless given
  --only     faults whose names match; all unless given`;

const values = flags(USAGE, {
  minutes: { type: "string", default: "5" },
  seed: { type: "string", default: String(Date.now() % 2 ** 31) },
  only: { type: "string" },
});
const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
if (!(minutes > 0) || !Number.isSafeInteger(seed)) {
  process.stderr.write(`--minutes must be more than 0, and --seed a whole number\n${USAGE}\n`);
  process.exit(2);
}

const directory = join(fileURLToPath(new URL("../.data/chaos/", import.meta.url)), String(seed));
const only = values.only === undefined ? {} : { only: new RegExp(values.only) };
// The SDK tells of every connection that is lost.
console.info = console.warn = () => {};
const { findings } = await runChaos({ minutes, seed, directory, say, ...only });
for (const { invariant, violations } of findings) {
  say(`${violations.length === 0 ? "held" : "VIOLATED"}: ${invariant}`);
  for (const violation of violations) say(`  ${violation}`);
}
say(`report: ${join(directory, "report.md")}`);
process.exit(findings.some(({ violations }) => violations.length > 0) ? 1 : 0);

function say(line: string): void {
  process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
}
