/**
 * How long a tournament of many players takes to settle, beside the bare load of the same rows in the same run.
 * `npm run bench -- settlement --players 1000000`
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { numberOf } from "../loadtest/runtime/flags.ts";
import { startMariaDb } from "../scripts/servers/mariadb.ts";
import { startRedis } from "../scripts/servers/redis.ts";
import { describeEnvironment, environmentOf } from "./runtime/environment.ts";
import { medianOf } from "./runtime/medianOf.ts";
import { run, say } from "./runtime/run.ts";
import { benchSettlement, type SettlementResult } from "./tournaments/settle.ts";

const HELP = `npm run bench -- settlement [flags]

  --players N       standings to settle (1000000)
  --rounds N        settlement and bare load in turn, so often (3)
  --seed N          repeats a run's scores
  --report FILE     write the figures as JSON
`;

const CONNECTIONS = 8;
/** A settlement may take so many times as long as the bare load. */
const GOAL = 1.5;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      players: { type: "string", default: "1000000" },
      rounds: { type: "string", default: "3" },
      seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 32)) },
      report: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const parameters = {
    players: numberOf("players", values.players, { min: 1, isWhole: true }),
    rounds: numberOf("rounds", values.rounds, { min: 1, isWhole: true }),
    seed: numberOf("seed", values.seed, { isWhole: true }),
  };
  const figures = await measure(parameters);
  if (values.report !== undefined) writeFileSync(values.report, `${JSON.stringify(figures, null, 2)}\n`);
}

async function measure(parameters: { players: number; rounds: number; seed: number }): Promise<object> {
  const [redis, database] = await Promise.all([startRedis(), startMariaDb({ flushLogAtCommit: 1 })]);
  try {
    const environment = await environmentOf(redis.url, database.url);
    say(describeEnvironment(environment));
    say(`${parameters.players} standings; seed ${parameters.seed}; MariaDB with 512 MB for its pages and 32 MB of log`);
    say(
      "settlement: from the end of the tournament to the word that it is settled, prizes of 100 ranks and hash included",
    );
    say("bare load: the same rows by one LOAD DATA LOCAL from a file into a table like that of the standings\n");
    const result = await benchSettlement(
      { ...parameters, connections: CONNECTIONS, databaseUrl: await database.createDatabase() },
      (line) => say(`… ${line}`),
    );
    const ratio = medianOf(result.rounds.map(({ settledMs, loadedMs }) => settledMs / loadedMs));
    say(`\n${describe(result, ratio)}`);
    return { environment, parameters: { ...parameters, connections: CONNECTIONS }, ...result, ratio, goal: GOAL };
  } finally {
    await Promise.all([redis.stop(), database.stop()]);
  }
}

function describe({ rounds, memory, players, awards }: SettlementResult, ratio: number): string {
  const line = (name: string, ms: number[]): string =>
    [name.padEnd(24), ...[medianOf(ms), Math.min(...ms), Math.max(...ms)].map((figure) => cell(figure / 1000))].join(
      "",
    );
  return [
    ["".padEnd(24), ...["median", "least", "most"].map((head) => head.padStart(10))].join(""),
    line(
      "settlement, s",
      rounds.map(({ settledMs }) => settledMs),
    ),
    line(
      "bare load, s",
      rounds.map(({ loadedMs }) => loadedMs),
    ),
    `\n${players} standings and ${awards} awards; the median round takes ${ratio.toFixed(2)} times the bare load (goal: at most ${GOAL})`,
    `resident memory of the settling process: ${memory.before} MB before, at most ${memory.peak} MB meanwhile`,
  ].join("\n");
}

const cell = (seconds: number): string => seconds.toFixed(2).padStart(10);

await run(main);
