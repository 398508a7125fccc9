/**
 * How long the reveal of a large hunt takes, as one transaction and in parts, and for how long others wait at most.
 * `npm run bench -- reveal --assignments 1000000`
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { numberOf } from "../loadtest/runtime/flags.ts";
import { startMariaDb } from "../scripts/servers/mariadb.ts";
import { startRedis } from "../scripts/servers/redis.ts";
import { benchReveal, type Parts, type RevealResult } from "./hunts/reveal.ts";
import { describeEnvironment, environmentOf } from "./runtime/environment.ts";
import { run, say } from "./runtime/run.ts";

const HELP = `npm run bench -- reveal [flags]

  --assignments N   clues handed out (1000000)
  --players N       who had them (200000)
  --report FILE     write the figures as JSON
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      assignments: { type: "string", default: "1000000" },
      players: { type: "string", default: "200000" },
      report: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const parameters = {
    assignments: numberOf("assignments", values.assignments, { min: 1, isWhole: true }),
    players: numberOf("players", values.players, { min: 1, isWhole: true }),
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
    if (!result.isSame) throw new Error("the two ways came to different winners");
  } finally {
    await Promise.all([redis.stop(), database.stop()]);
  }
}

function describe({ atOnceMs, readMs, counting, figuresMs, results }: RevealResult): string {
  const line = (name: string, { totalMs, longestMs, parts }: Parts): string =>
    `${name.padEnd(34)}${cell(totalMs)}${cell(longestMs)}${String(parts).padStart(10)}`;
  return [
    `${"ms".padEnd(34)}${["in all", "longest", "parts"].map((head) => head.padStart(10)).join("")}`,
    line("reveal as one transaction", { totalMs: atOnceMs, longestMs: atOnceMs, parts: 1 }),
    line("reveal in parts: assignments", counting),
    line("winners and figures", { totalMs: figuresMs, longestMs: figuresMs, parts: 1 }),
    line("results", results),
    line("a page read from all assignments", { totalMs: readMs, longestMs: readMs, parts: 1 }),
  ].join("\n");
}

const cell = (ms: number): string => ms.toFixed(0).padStart(10);

await run(main);
