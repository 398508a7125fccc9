/**
 * How long the reveals of hunts of several sizes take, as one transaction and in parts, and for how long others wait at most.
 * `npm run bench -- reveal --assignments 100000,1000000`
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { numberOf } from "../loadtest/runtime/flags.ts";
import type { LatencySummary } from "../loadtest/runtime/Latencies.ts";
import { startMariaDb } from "../scripts/servers/mariadb.ts";
import { startRedis } from "../scripts/servers/redis.ts";
import { benchReveal, type Parts, type RevealOptions, type RevealResult } from "./hunts/reveal.ts";
import { describeEnvironment, environmentOf } from "./runtime/environment.ts";
import { run, say } from "./runtime/run.ts";

const HELP = `npm run bench -- reveal [flags]

  --assignments N   clues handed out; of several hunts: N,N,… (1000000)
  --players N       who had them (a fifth as many)
  --parts-only      leaves out the one transaction, which takes some 11 s a million
  --report FILE     write the figures as JSON
`;

/** Clues that each player had. */
const PLAYED = 5;

type Hunt = Pick<RevealOptions, "assignments" | "players" | "atOnce">;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      assignments: { type: "string", default: "1000000" },
      players: { type: "string" },
      "parts-only": { type: "boolean", default: false },
      report: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const atOnce = !values["parts-only"];
  const hunts = values.assignments.split(",").map((text) => {
    const assignments = numberOf("assignments", text, { min: 1, isWhole: true });
    const players = values.players ?? String(Math.ceil(assignments / PLAYED));
    return { assignments, players: numberOf("players", players, { min: 1, isWhole: true }), atOnce };
  });
  const figures = await measure(hunts);
  if (values.report !== undefined) writeFileSync(values.report, `${JSON.stringify(figures, null, 2)}\n`);
}

async function measure(hunts: readonly Hunt[]): Promise<object> {
  const [redis, database] = await Promise.all([startRedis(), startMariaDb({ flushLogAtCommit: 1 })]);
  try {
    const environment = await environmentOf(redis.url, database.url);
    say(`${describeEnvironment(environment)}\n`);
    const sizes: (Hunt & RevealResult)[] = [];
    for (const hunt of hunts) {
      const databaseUrl = await database.createDatabase();
      const result = await benchReveal({ ...hunt, databaseUrl }, (line) => say(`… ${line}`));
      say(`\n${describe(result)}\n`);
      sizes.push({ ...hunt, ...result });
      if (result.isSame === false) throw new Error("the two ways came to different winners");
    }
    if (sizes.length > 1) say(compare(sizes));
    return { environment, sizes };
  } finally {
    await Promise.all([redis.stop(), database.stop()]);
  }
}

/** The longest part of each size beside that of the others: it is not to grow with the size. */
function compare(sizes: readonly (Hunt & RevealResult)[]): string {
  const heads = ["assignments", "in all, s", "parts", "median, ms", "longest, ms", "claims' p99, ms"];
  const rows = sizes.map(({ assignments, counting, tallying, results, winnersMs, meanwhile }) => {
    const all = [counting, tallying, results];
    const totalMs = all.reduce((sum, parts) => sum + parts.totalMs, winnersMs);
    const longestMs = Math.max(winnersMs, ...all.map((parts) => parts.longestMs));
    const parts = all.reduce((sum, { parts }) => sum + parts, 1);
    const figures = [totalMs / 1000, parts, counting.medianMs, longestMs, meanwhile.commits.p99];
    return [assignments, ...figures.map((figure) => figure.toFixed(0))];
  });
  return [heads, ...rows].map((row) => row.map((text) => String(text).padStart(16)).join("")).join("\n");
}

function describe({ atOnceMs, readMs, counting, tallying, winnersMs, results, meanwhile }: RevealResult): string {
  const line = (name: string, { totalMs, medianMs, longestMs, parts }: Parts): string =>
    `${name.padEnd(34)}${cell(totalMs)}${cell(medianMs)}${cell(longestMs)}${String(parts).padStart(10)}`;
  const single = (name: string, ms: number | undefined): string[] =>
    ms === undefined ? [] : [line(name, { totalMs: ms, medianMs: ms, longestMs: ms, parts: 1 })];
  const { commits, reads, failed, memoryMb } = meanwhile;
  const waits = (name: string, { count, p50, p99, max }: LatencySummary): string =>
    `${name}: ${count} answered, p50 ${p50} ms, p99 ${p99} ms, longest ${max} ms`;
  return [
    `${"ms".padEnd(34)}${["in all", "median", "longest", "parts"].map((head) => head.padStart(10)).join("")}`,
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
