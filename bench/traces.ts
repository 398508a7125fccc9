/**
 * What traces cost a claim: the seams that it passes, without a tracer and with one, and the whole of a node's CPU a request beside it.
 * `npm run bench -- traces`
 */
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { parseArgs } from "node:util";
import { numberOf } from "../loadtest/runtime/flags.ts";
import { startMariaDb } from "../scripts/servers/mariadb.ts";
import { startRedis } from "../scripts/servers/redis.ts";
import { PlayerFleet } from "./hunts/PlayerFleet.ts";
import { HuntNode } from "./hunts/servers.ts";
import { describeEnvironment, environmentOf } from "./runtime/environment.ts";
import { run, say } from "./runtime/run.ts";
import { measureSeams } from "./telemetry/seams.ts";

const HELP = `npm run bench -- traces [flags]

  --claims N        claims whose seams are measured at a time (64000)
  --clients N       connected players of the flood (200)
  --seconds N       how long each flood lasts (5)
  --rounds N        floods of each node in turn (3)
  --report FILE     write the figures as JSON
`;

const RATIOS = [0, 0.01, 1];
/** With which a node is measured beside one without traces. */
const RATIO = "0.01";

interface Parameters {
  clients: number;
  seconds: number;
  rounds: number;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      claims: { type: "string", default: "64000" },
      clients: { type: "string", default: "200" },
      seconds: { type: "string", default: "5" },
      rounds: { type: "string", default: "3" },
      report: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const whole = { min: 1, isWhole: true };
  const parameters = {
    clients: numberOf("clients", values.clients, whole),
    seconds: numberOf("seconds", values.seconds, { min: 0.2 }),
    rounds: numberOf("rounds", values.rounds, whole),
  };
  const claims = numberOf("claims", values.claims, whole);
  const [redis, mariaDb] = await Promise.all([startRedis(), startMariaDb({ flushLogAtCommit: 1 })]);
  try {
    const environment = await environmentOf(redis.url, mariaDb.url);
    say(describeEnvironment(environment));
    const seams = await measureSeams(claims, RATIOS);
    say(`the seams of a claim: ${seams.off.toFixed(3)} µs without traces`);
    for (const { ratio, micros } of seams.on) say(`  ${micros.toFixed(3)} µs with ${ratio} of them recorded`);
    const floods = await measureFloods(
      { redisUrl: redis.url, databaseUrl: await mariaDb.createDatabase() },
      parameters,
    );
    for (const [name, micros] of Object.entries(floods))
      say(`a request of a flood, ${name}: ${micros.map((each) => each.toFixed(0)).join(", ")} µs of the node's CPU`);
    if (values.report !== undefined)
      writeFileSync(values.report, `${JSON.stringify({ environment, seams, floods }, null, 2)}\n`);
  } finally {
    await Promise.all([redis.stop(), mariaDb.stop()]);
  }
}

/** The CPU of a node a claim or solve, in microseconds, round by round: with traces off, and on. */
async function measureFloods(
  servers: { redisUrl: string; databaseUrl: string },
  { clients, seconds, rounds }: Parameters,
): Promise<{ off: number[]; on: number[] }> {
  const collector = createServer((request, response) => {
    request.resume();
    request.once("end", () => response.end());
  });
  collector.listen(0, "127.0.0.1");
  await once(collector, "listening");
  const { port } = collector.address() as AddressInfo;
  const tracing = {
    OTEL_TRACES_EXPORTER: "otlp",
    OTEL_TRACES_SAMPLER_ARG: RATIO,
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
  };
  const micros: { off: number[]; on: number[] } = { off: [], on: [] };
  for (let round = 0; round < rounds; round++)
    for (const [name, env] of [
      ["off", {}],
      ["on", tracing],
    ] as const)
      micros[name].push(await floodOf(servers, env, { clients, seconds }));
  collector.close();
  collector.closeAllConnections();
  return micros;
}

async function floodOf(
  { redisUrl, databaseUrl }: { redisUrl: string; databaseUrl: string },
  env: NodeJS.ProcessEnv,
  { clients, seconds }: Pick<Parameters, "clients" | "seconds">,
): Promise<number> {
  const node = await HuntNode.start(redisUrl, databaseUrl, undefined, env);
  const fleet = await PlayerFleet.start(1);
  try {
    const target = await node.createHunt();
    await fleet.join(target, await node.playerTokens(clients));
    await node.startHunt(target);
    await fleet.awaitSolving();
    // What is compiled while it runs is not what it costs in the long run.
    await fleet.flood(target, seconds / 2);
    const { serverMicros } = await fleet.flood(target, seconds);
    return serverMicros;
  } finally {
    await fleet.stop();
    await node.stop();
  }
}

await run(main);
