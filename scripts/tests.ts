/**
 * `npm test`: runs test files in several processes of mocha at once, each with every n-th file and servers of its own. A suite that waits as
 * much as it works needs half the time so on two cores. What the first part says is written at once, what the others say as they end; the last
 * line counts all of them. `node scripts/tests.ts [--parts 2] [--ignore GLOB] GLOB… [-- options of mocha]`
 */
import "./buildWeb.ts";
import { globSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Program } from "./processes/Program.ts";
import { locateMariaDb, locateRedis } from "./servers/locate.ts";

/** Each part has a MariaDB and nodes of its own beside it: more parts than this make each other late. */
const MOST_PARTS = 2;
const MOCHA = fileURLToPath(new URL("../node_modules/mocha/bin/mocha.js", import.meta.url));
const COUNT = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/;

interface Count {
  passed: number;
  failed: number;
  skipped: number;
}

const own = process.argv.slice(2);
const end = own.indexOf("--");
const mochaOptions = end < 0 ? [] : own.slice(end + 1);
const { values, positionals } = parseArgs({
  args: end < 0 ? own : own.slice(0, end),
  options: { parts: { type: "string" }, ignore: { type: "string", multiple: true, default: [] } },
  allowPositionals: true,
});
const files = globSync(positionals, { exclude: values.ignore }).toSorted();
const parts = Math.min(Number(values.parts ?? Math.min(MOST_PARTS, availableParallelism())), files.length);
if (!(parts >= 1)) throw new Error("there are no files to test, or no parts");

// Installed once, before several processes look for them: a package manager serves one at a time.
await locateRedis();
await locateMariaDb();

const running = new Set<Program>();
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => {
    for (const program of running) program.signal(signal);
  });

const counts = await Promise.all(Array.from({ length: parts }, (_, part) => run(part)));
const sum = counts.reduce((all, each) => ({
  passed: all.passed + each.passed,
  failed: all.failed + each.failed,
  skipped: all.skipped + each.skipped,
}));
const skipped = sum.skipped > 0 ? `, ${sum.skipped} skipped` : "";
// What a slow reader has not taken by then would be lost with the process.
process.stdout.write(`${sum.passed} passed, ${sum.failed} failed${skipped}\n`, () =>
  process.exit(sum.failed > 0 ? 1 : 0),
);

/** Runs every n-th file. A part that ends without its count, or with a failure that it does not count, counts as one that failed. */
async function run(part: number): Promise<Count> {
  const program = await Program.start({
    name: `tests ${part + 1} of ${parts}`,
    command: process.execPath,
    args: [MOCHA, ...mochaOptions, ...files.filter((_, at) => at % parts === part)],
  });
  running.add(program);
  let count: Count | undefined;
  const lines: string[] = [];
  program.onLine((line) => {
    const [counted, passed, failed, skipped = 0] = COUNT.exec(line) ?? [];
    if (counted !== undefined) count = { passed: Number(passed), failed: Number(failed), skipped: Number(skipped) };
    else if (part === 0) process.stdout.write(`${line}\n`);
    else lines.push(line);
  });
  const exit = await program.exited;
  running.delete(program);
  if (lines.length > 0) process.stdout.write(`${lines.join("\n")}\n`);
  if (count !== undefined && (exit.code === 0 || count.failed > 0)) return count;
  process.stdout.write(`${program.name} ended with ${exit.signal ?? exit.code}\n`);
  return { passed: count?.passed ?? 0, failed: (count?.failed ?? 0) + 1, skipped: count?.skipped ?? 0 };
}
