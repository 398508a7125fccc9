/** What a cluster costs in which nothing happens. `npm run bench -- idle --nodes 3,50,200 --actors 100000` */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { numberOf } from "../loadtest/runtime/flags.ts";
import { startRedis } from "../scripts/servers/redis.ts";
import { connectRedis, whenReady } from "../src/stores/runtime/redis.ts";
import { benchIdle, type IdleResult } from "./actors/idle.ts";
import { run, say } from "./runtime/run.ts";

const HELP = `npm run bench -- idle [flags]

  --nodes N,N…      sizes of the cluster (3,50,200)
  --actors N        actors that live nowhere, each with a timer that is far away (100000)
  --seconds N       simulated time that is measured (60)
  --report FILE     write the figures as JSON
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      nodes: { type: "string", default: "3,50,200" },
      actors: { type: "string", default: "100000" },
      seconds: { type: "string", default: "60" },
      report: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const sizes = values.nodes.split(",").map((size) => numberOf("nodes", size, { min: 1, isWhole: true }));
  const actors = numberOf("actors", values.actors, { min: 0, isWhole: true });
  const seconds = numberOf("seconds", values.seconds, { min: 1 });
  const server = await startRedis();
  const redis = connectRedis(server.url, "bench");
  await whenReady(redis);
  try {
    const results: IdleResult[] = [];
    for (const nodes of sizes) {
      say(`… ${nodes} nodes`);
      results.push(await benchIdle({ nodes, actors, seconds }, redis));
    }
    say(`\n${actors} actors, ${seconds} simulated seconds; of the whole cluster, a second\n`);
    for (const result of results) say(describe(result));
    if (values.report !== undefined)
      writeFileSync(values.report, `${JSON.stringify({ actors, seconds, results }, null, 2)}\n`);
  } finally {
    redis.disconnect();
    await server.stop();
  }
}

function describe({ nodes, statements, rows, redisCommands, beatMicros, beatBytes }: IdleResult): string {
  return (
    `${nodes} nodes: ${statements.toFixed(1)} statements that bring ${rows.toFixed(1)} rows, ${redisCommands.toFixed(1)} Redis commands; ` +
    `a beat costs Redis ${beatMicros.toFixed(0)} µs and answers ${beatBytes.toFixed(0)} bytes`
  );
}

await run(main);
