/** Runs benches by name, each in a process of its own: `npm run bench`, or `npm run bench -- hunt --clients 14000`. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Every bench; a file beside this one each. */
const BENCHES = [
  "attacks",
  "bulkheads",
  "feeds",
  "history",
  "hunt",
  "idle",
  "leaderboard",
  "reads",
  "ledger",
  "reveal",
  "settlement",
  "takeover",
  "timers",
  "traces",
];

const flagsFrom = process.argv.findIndex((argument, at) => at >= 2 && argument.startsWith("-"));
const names = process.argv.slice(2, flagsFrom < 0 ? undefined : flagsFrom);
const flags = flagsFrom < 0 ? [] : process.argv.slice(flagsFrom);

const unknown = names.filter((name) => !BENCHES.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`there is no bench ${unknown.join(", ")}; there are: ${BENCHES.join(", ")}\n`);
  process.exit(2);
}
for (const name of names.length > 0 ? names : BENCHES) {
  process.stdout.write(`== bench ${name}\n`);
  const script = fileURLToPath(new URL(`${name}.ts`, import.meta.url));
  const { status } = spawnSync(process.execPath, [script, ...flags], { stdio: "inherit" });
  if (status !== 0) process.exitCode = 1;
}
