/**
 * What an event costs until a node that follows many topics has it, beside one blocking read over all of them.
 * `npm run bench -- feeds --topics 10000`
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { numberOf } from "../loadtest/runtime/flags.ts";
import { startRedis } from "../scripts/servers/redis.ts";
import { blockingRead, measureWakes, nobody, subscription, type WakeCost, type Way } from "./feeds/wakes.ts";
import { describeEnvironment, environmentOf } from "./runtime/environment.ts";
import { run, say } from "./runtime/run.ts";

const HELP = `npm run bench -- feeds [flags]

  --topics N        topics that the node follows (10000)
  --events N        events a way, one after another (500)
  --report FILE     write the figures as JSON
`;

const WAYS: ReadonlyArray<[string, Way]> = [
  ["nobody follows", nobody],
  ["the feed's reader", subscription],
  ["one blocking read over all", blockingRead],
];

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      topics: { type: "string", default: "10000" },
      events: { type: "string", default: "500" },
      report: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const topics = numberOf("topics", values.topics, { min: 1, isWhole: true });
  const events = numberOf("events", values.events, { min: 1, isWhole: true });
  const redis = await startRedis();
  try {
    const environment = await environmentOf(redis.url);
    say(describeEnvironment(environment));
    say(`${topics} topics followed, ${events} events one after another; what one costs Redis, the append included\n`);
    say(row("", ["commands", "bytes in", "bytes out", "CPU, µs", "p50, ms"]));
    const names = Array.from({ length: topics }, (_, at) => `bench-${at}`);
    const costs: Record<string, WakeCost> = {};
    for (const [name, way] of WAYS) {
      const cost = await measureWakes(redis.url, way, { topics: names, events, run: name });
      costs[name] = cost;
      const { commands, bytesIn, bytesOut, cpuMicros, latencyMs } = cost;
      say(
        row(name, [
          commands.toFixed(1),
          ...[bytesIn, bytesOut, cpuMicros].map((n) => n.toFixed(0)),
          latencyMs.toFixed(2),
        ]),
      );
    }
    if (values.report !== undefined)
      writeFileSync(values.report, `${JSON.stringify({ environment, topics, events, costs }, null, 2)}\n`);
  } finally {
    await redis.stop();
  }
}

const row = (name: string, figures: readonly string[]): string =>
  [name.padEnd(30), ...figures.map((figure) => figure.padStart(11))].join("");

await run(main);
