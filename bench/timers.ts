/**
 * How late durable timers fire, beside as many `setTimeout`s in the same run. `npm run bench -- timers --timers 100000`
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { numberOf } from "../loadtest/runtime/flags.ts";
import type { LatencySummary } from "../loadtest/runtime/Latencies.ts";
import { startMariaDb } from "../scripts/servers/mariadb.ts";
import { startRedis } from "../scripts/servers/redis.ts";
import { benchTimers, type TimersResult } from "./actors/timers.ts";
import { describeEnvironment, environmentOf } from "./runtime/environment.ts";
import { run, say } from "./runtime/run.ts";

const HELP = `npm run bench -- timers [flags]

  --timers N        timers armed at once, one an actor (100000)
  --seconds N       they are due evenly over this time (60)
  --report FILE     write the figures as JSON
`;

const CONNECTIONS = 16;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      timers: { type: "string", default: "100000" },
      seconds: { type: "string", default: "60" },
      report: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const parameters = {
    timers: numberOf("timers", values.timers, { min: 1, isWhole: true }),
    seconds: numberOf("seconds", values.seconds, { min: 0.2 }),
  };
  const figures = await measure(parameters);
  if (values.report !== undefined) writeFileSync(values.report, `${JSON.stringify(figures, null, 2)}\n`);
}

async function measure(parameters: { timers: number; seconds: number }): Promise<object> {
  const [redis, database] = await Promise.all([startRedis(), startMariaDb({ flushLogAtCommit: 1 })]);
  try {
    const environment = await environmentOf(redis.url, database.url);
    const { timers, seconds } = parameters;
    say(describeEnvironment(environment));
    say(`${timers} timers, due evenly over ${seconds} s: ${Math.round(timers / seconds)} a second; one an actor`);
    say(`each ring is a turn that is stored, on ${CONNECTIONS} connections; lateness in ms\n`);
    const result = await benchTimers(
      { ...parameters, connections: CONNECTIONS, databaseUrl: await database.createDatabase() },
      (line) => say(`… ${line}`),
    );
    say(`\n${describe(result)}`);
    return { environment, parameters: { ...parameters, connections: CONNECTIONS }, ...result };
  } finally {
    await Promise.all([redis.stop(), database.stop()]);
  }
}

function describe({ alone, beside, fired, stored, armedPerSecond }: TimersResult): string {
  const line = (name: string, { count, p50, p99, max }: LatencySummary): string =>
    [name.padEnd(46), ...[count, p50, p99, max].map((figure) => String(Math.round(figure)).padStart(9))].join("");
  const over = Math.round(fired.p99 - beside.p99);
  return [
    ["".padEnd(46), ...["fired", "p50", "p99", "max"].map((head) => head.padStart(9))].join(""),
    line("setTimeouts, with the process to themselves", alone),
    line("setTimeouts, beside the actors' timers", beside),
    line("actors' timers, to the beginning of the turn", fired),
    line("actors' timers, to the end of its commit", stored),
    `\np99 of the actors' timers over that of the setTimeouts beside them: ${over} ms; armed ${Math.round(armedPerSecond)} a second`,
  ].join("\n");
}

await run(main);
