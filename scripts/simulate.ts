/**
 * `npm run simulate`: plays schedules of acts and faults on simulated clusters, one a seed, and says what they violate.
 * `npm run simulate -- --seeds 1000 --seed 7 --only "clock|stall"`
 */
import { replayOf, runSeed, type SeedRun, shrink } from "../test/simulation/campaign.ts";
import { flags } from "./flags.ts";

const USAGE = `npm run simulate -- [--seeds N] [--seed S] [--only PATTERN] [--trace] [--shrink]
  --seeds   how many schedules, of the seeds S, S + 1, …; 100 unless given
  --seed    the first seed; by the clock unless given
  --only    faults whose names match, beside nodes that start again; all unless given
  --trace   prints what happened in each run, in its order
  --shrink  looks for a short part of each failing schedule that fails too`;

const PROGRESS_EVERY_MS = 2000;

const values = flags(USAGE, {
  seeds: { type: "string", default: "100" },
  seed: { type: "string", default: String(Date.now() % 2 ** 31) },
  only: { type: "string" },
  trace: { type: "boolean", default: false },
  shrink: { type: "boolean", default: false },
});
const [first, count] = [wholeNumber("seed"), wholeNumber("seeds")];
const only = values.only === undefined ? undefined : new RegExp(values.only);

const options = { ...(only ? { only } : {}), keepsLines: values.trace ? 1_000_000 : 0 };
const total = { steps: 0, simulatedMs: 0, failed: 0, faults: new Map<string, number>(), hashes: new Set<string>() };
const startedAt = performance.now();
let toldAt = startedAt;
say(`seeds ${first} to ${first + count - 1}`);
for (let seed = first; seed < first + count; seed += 1) {
  const run = await runSeed(seed, options);
  if (values.trace) for (const line of run.trace) say(line);
  add(run);
  if (run.violations.length > 0) await tell(run);
  if (performance.now() - toldAt < PROGRESS_EVERY_MS) continue;
  toldAt = performance.now();
  say(`${seed - first + 1} of ${count}, ${total.failed} failed`);
}
report();
process.exitCode = total.failed > 0 ? 1 : 0;

function add({ steps, simulatedMs, violations, faults, hash }: SeedRun): void {
  total.steps += steps.length;
  total.simulatedMs += simulatedMs;
  total.failed += violations.length > 0 ? 1 : 0;
  total.hashes.add(hash);
  for (const [fault, times] of faults) total.faults.set(fault, (total.faults.get(fault) ?? 0) + times);
}

async function tell(run: SeedRun): Promise<void> {
  const { seed, steps, violations, hash } = run;
  say(`seed ${seed} (trace ${hash}) violates:`);
  for (const violation of violations) say(`  ${violation}`);
  say(`  replay: ${replayOf(seed, only)}`);
  if (!values.shrink) return;
  const shortest = await shrink(run);
  say(`  ${shortest.length} of ${steps.length} steps are enough:`);
  for (const step of shortest) say(`    ${JSON.stringify(step)}`);
}

function report(): void {
  const seconds = (performance.now() - startedAt) / 1000;
  say(`${count} seeds, ${total.steps} steps, ${total.hashes.size} distinct interleavings`);
  say(`${Math.round(total.simulatedMs / 1000)} s of the clusters' time in ${seconds.toFixed(1)} s`);
  const byName = [...total.faults].sort(([a], [b]) => a.localeCompare(b));
  say(`faults: ${byName.map(([name, times]) => `${name} ${times}`).join(", ")}`);
  say(total.failed === 0 ? "nothing is violated" : `${total.failed} seeds failed`);
}

function wholeNumber(option: "seed" | "seeds"): number {
  const number = Number(values[option]);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  process.stderr.write(`--${option}: must be a whole number\n`);
  process.exit(2);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
