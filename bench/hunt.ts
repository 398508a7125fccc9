/**
 * What a hunt's node can do, each figure beside its peer in the same run: claims of many connected players beside a bare Colyseus
 * room, and durable turns beside the same statements by mysql2. `npm run bench -- hunt --clients 14000`
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { numberOf } from "../loadtest/runtime/flags.ts";
import { startMariaDb } from "../scripts/servers/mariadb.ts";
import { startRedis } from "../scripts/servers/redis.ts";
import { benchTurns } from "./actors/turns.ts";
import { benchClaims } from "./hunts/claims.ts";
import { describeClaims, describeTurns, ratios } from "./hunts/tell.ts";
import { describeEnvironment, environmentOf, openFilesLimit } from "./runtime/environment.ts";
import { medianOf } from "./runtime/medianOf.ts";
import { run, say } from "./runtime/run.ts";

const HELP = `npm run bench -- hunt [flags]

  --clients N       connected players (2000)
  --rate N          claims and solves a second of the steady stream (one of each player in 8 s)
  --seconds N       how long the steady stream and the flood last, and five rounds of turns (10)
  --seed N          repeats a run's choices
  --report FILE     write all figures as JSON
`;

/** Processes that the players are spread over: on two cores, more of them only compete with the server. */
const PROCESSES = 2;
/** What a server has open beside its players. */
const OTHER_FILES = 500;
const TURNS = { actors: 1024, callers: 64, connections: 16, rounds: 7 };
/** A round of turns lasts this part of what the stream and the flood last. */
const ROUND = 0.2;

interface Parameters {
  clients: number;
  rate: number;
  seconds: number;
  seed: number;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      clients: { type: "string", default: "2000" },
      rate: { type: "string" },
      seconds: { type: "string", default: "10" },
      seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 32)) },
      report: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const clients = numberOf("clients", values.clients, { min: 1, isWhole: true, max: openFilesLimit() - OTHER_FILES });
  const parameters: Parameters = {
    clients,
    rate: numberOf("rate", values.rate ?? String(Math.max(1, Math.round(clients / 8))), { min: 1 }),
    seconds: numberOf("seconds", values.seconds, { min: 0.2 }),
    seed: numberOf("seed", values.seed, { isWhole: true }),
  };
  const figures = await measure(parameters);
  if (values.report !== undefined) writeFileSync(values.report, `${JSON.stringify(figures, null, 2)}\n`);
}

async function measure(parameters: Parameters): Promise<object> {
  const [redis, database] = await Promise.all([startRedis(), startMariaDb({ flushLogAtCommit: 1 })]);
  try {
    const environment = await environmentOf(redis.url, database.url);
    say(describeEnvironment(environment));
    say(describeParameters(parameters));
    const claims = await benchClaims(
      { ...parameters, processes: PROCESSES, redisUrl: redis.url, databaseUrl: await database.createDatabase() },
      (line) => say(`… ${line}`),
    );
    say(`\n${describeClaims(claims)}`);
    const roundMs = parameters.seconds * 1000 * ROUND;
    const turns = await benchTurns({ ...TURNS, roundMs, databaseUrl: await database.createDatabase() });
    say(
      `\n${describeTurns({ "turns of one statement": turns.oneStatement, "turns with SQL of their own": turns.withSql })}`,
    );
    const ratio = (kind: keyof typeof turns): number => medianOf(ratios(turns[kind].runtime, turns[kind].raw));
    const turnRatios = { oneStatement: ratio("oneStatement"), withSql: ratio("withSql") };
    return {
      environment,
      parameters: { ...parameters, processes: PROCESSES, turns: { ...TURNS, roundMs } },
      claims,
      turns,
      turnRatios,
    };
  } finally {
    await Promise.all([redis.stop(), database.stop()]);
  }
}

function describeParameters({ clients, rate, seconds, seed }: Parameters): string {
  const { actors, callers, connections, rounds } = TURNS;
  return [
    `${clients} players on websockets in ${PROCESSES} processes; one node with Redis and MariaDB of its own; seed ${seed}`,
    "players, node, Redis and MariaDB share this machine's cores: what the players use, the server lacks",
    "burst: at the start of solving all players claim at the same moment",
    `steady stream: for ${seconds} s, claims and right answers arrive at random (Poisson), ${rate} a second of all players together`,
    `flood: for ${seconds} s, each player asks again as soon as it is answered, at most 15 times a second`,
    `turns: ${callers} calls under way on ${actors} actors, ${connections} connections; ${rounds} rounds of ${seconds * ROUND} s of either side in turn`,
    "",
  ].join("\n");
}

await run(main);
