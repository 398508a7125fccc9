/**
 * How long the reveal of a large hunt takes, as one transaction and in parts, and for how long others wait at most.
 * `npm run bench -- reveal --assignments 1000000`
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { numberOf } from "../loadtest/runtime/flags.ts";
import type { LatencySummary } from "../loadtest/runtime/Latencies.ts";
import { startMariaDb } from "../scripts/servers/mariadb.ts";
import { startRedis } from "../scripts/servers/redis.ts";
import { benchReveal, type Parts, type RevealResult } from "./hunts/reveal.ts";
import { describeEnvironment, environmentOf } from "./runtime/environment.ts";
import { run, say } from "./runtime/run.ts";

const HELP = `npm run bench -- reveal [flags]

  --assignments N   clues handed out (1000000)
  --players N       who had them (200000)
  --parts-only      leaves out the one transaction, which takes some 11 s a million
  --report FILE     write the figures as JSON
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      assignments: { type: "string", default: "1000000" },
      players: { type: "string", default: "200000" },
      "parts-only": { type: "boolean", default: false },
      report: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const parameters = {
    assignments: numberOf("assignments", values.assignments, { min: 1, isWhole: true }),
    players: numberOf("players", values.players, { min: 1, isWhole: true }),
    atOnce: !values["parts-only"],
  };
  const [redis, database] = await Promise.all([startRedis(), startMariaDb({ flushLogAtCommit: 1 })]);
  try {
    const environment = await environmentOf(redis.url, database.url);
    say(`${describeEnvironment(environment)}\n`);
    const databaseUrl = await database.createDatabase();
    const result = await benchReveal({ ...parameters, databaseUrl }, (line) => say(`… ${line}`));
    say(`\n${describe(result)}`);
    if (values.report !== undefined)
      writeFileSync(values.report, `${JSON.stringify({ environment, parameters, ...result }, null, 2)}\n`);
    if (result.isSame === false) throw new Error("the two ways came to different winners");
  } finally {
    await Promise.all([redis.stop(), database.stop()]);
  }
}

function describe({ atOnceMs, readMs, counting, tallying, winnersMs, results, meanwhile }: RevealResult): string {
  const line = (name: string, { totalMs, longestMs, parts }: Parts): string =>
    `${name.padEnd(34)}${cell(totalMs)}${cell(longestMs)}${String(parts).padStart(10)}`;
  const single = (name: string, ms: number | undefined): string[] =>
    ms === undefined ? [] : [line(name, { totalMs: ms, longestMs: ms, parts: 1 })];
  const { commits, reads, failed, memoryMb } = meanwhile;
  const waits = (name: string, { count, p50, p99, max }: LatencySummary): string =>
    `${name}: ${count} answered, p50 ${p50} ms, p99 ${p99} ms, longest ${max} ms`;
  return [
    `${"ms".padEnd(34)}${["in all", "longest", "parts"].map((head) => head.padStart(10)).join("")}`,
    ...single("reveal as one transaction", atOnceMs),
    line("reveal in parts: assignments", counting),
    line("players", tallying),
    ...single("winners", winnersMs),
    line("results", results),
    ...single("a page read from all assignments", readMs),
    "",
    `meanwhile, ${failed} failed`,
    waits("claims to another hunt", commits),
    waits("reads of the list of hunts", reads),
    `memory of the process: ${memoryMb.before} MB before, at most ${memoryMb.most} MB`,
  ].join("\n");
}

const cell = (ms: number): string => ms.toFixed(0).padStart(10);

await run(main);
