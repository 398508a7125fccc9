/**
 * What players and strangers ask of events that hold much, or of which there were many: how long each takes, and what others wait for
 * meanwhile. `npm run bench -- history`
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { numberOf } from "../loadtest/runtime/flags.ts";
import type { LatencySummary } from "../loadtest/runtime/Latencies.ts";
import { startMariaDb } from "../scripts/servers/mariadb.ts";
import { startRedis } from "../scripts/servers/redis.ts";
import { benchHistory } from "./events/history.ts";
import { benchHuntPage } from "./events/huntPage.ts";
import { describeEnvironment, environmentOf } from "./runtime/environment.ts";
import { run, say } from "./runtime/run.ts";

const HELP = `npm run bench -- history [flags]

  --assignments N   clues handed out in the hunt whose page is read (300000)
  --events N        hunts, and tournaments, that there are (10000)
  --players N       players of the ranking (200000)
  --report FILE     write the figures as JSON
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      assignments: { type: "string", default: "300000" },
      events: { type: "string", default: "10000" },
      players: { type: "string", default: "200000" },
      report: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const count = (flag: "assignments" | "events" | "players"): number =>
    numberOf(flag, values[flag], { min: 1000, isWhole: true });
  const parameters = { assignments: count("assignments"), events: count("events"), players: count("players") };
  const [redis, database] = await Promise.all([startRedis(), startMariaDb({ flushLogAtCommit: 1 })]);
  try {
    const environment = await environmentOf(redis.url, database.url);
    say(`${describeEnvironment(environment)}\n\n${row("ms", ["count", "p50", "p99", "longest"])}`);
    const figures: Record<string, LatencySummary> = {};
    const tell = (name: string, summary: LatencySummary): void => {
      figures[name] = summary;
      const { count, p50, p99, max } = summary;
      say(row(name, [count, p50, p99, max]));
    };
    await benchHuntPage({ ...parameters, redisUrl: redis.url, databaseUrl: await database.createDatabase() }, tell);
    await benchHistory({ ...parameters, databaseUrl: await database.createDatabase() }, tell);
    if (values.report !== undefined)
      writeFileSync(values.report, `${JSON.stringify({ environment, parameters, figures }, null, 2)}\n`);
  } finally {
    await Promise.all([redis.stop(), database.stop()]);
  }
}

function row(name: string, cells: readonly (string | number)[]): string {
  return name.padEnd(64) + cells.map((cell) => String(cell).padStart(10)).join("");
}

await run(main);
