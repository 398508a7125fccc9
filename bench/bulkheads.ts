/**
 * Whether players' claims are held up by other work of their node, and what the deadline of each statement costs.
 * `npm run bench -- bulkheads --timers 100000`
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { numberOf } from "../loadtest/runtime/flags.ts";
import { startMariaDb } from "../scripts/servers/mariadb.ts";
import { startRedis } from "../scripts/servers/redis.ts";
import { benchStatements, type StatementsResult, type StatementsRound } from "./entities/statements.ts";
import { BESIDE, type Beside, type BesideLoadResult, type BesideRound, besideLoad } from "./hunts/besideLoad.ts";
import { describeEnvironment, environmentOf, openFilesLimit } from "./runtime/environment.ts";
import { medianOf } from "./runtime/medianOf.ts";
import { run, say } from "./runtime/run.ts";

const HELP = `npm run bench -- bulkheads [flags]

  --timers N        actors' timers that fall due at once (100000)
  --clients N       connected players (500)
  --rate N          claims and solves a second of all players together (250)
  --seconds N       how long they go on in each round (20)
  --rounds N        rounds beside nothing, the timers, and a bare process, in turn (3)
  --seed N          repeats a run's choices
  --report FILE     write all figures as JSON
`;

const OTHER_FILES = 500;
/** Rounds of statements, and what part of a round of claims each lasts. */
const STATEMENT_ROUNDS = 7;
const STATEMENT_ROUND = 0.1;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      timers: { type: "string", default: "100000" },
      clients: { type: "string", default: "500" },
      rate: { type: "string", default: "250" },
      seconds: { type: "string", default: "20" },
      rounds: { type: "string", default: "3" },
      seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 32)) },
      report: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const figures = await measure({
    timers: numberOf("timers", values.timers, { min: 1, isWhole: true }),
    clients: numberOf("clients", values.clients, { min: 1, isWhole: true, max: openFilesLimit() - OTHER_FILES }),
    rate: numberOf("rate", values.rate, { min: 1 }),
    seconds: numberOf("seconds", values.seconds, { min: 0.2 }),
    rounds: numberOf("rounds", values.rounds, { min: 1, isWhole: true }),
    seed: numberOf("seed", values.seed, { isWhole: true }),
  });
  if (values.report !== undefined) writeFileSync(values.report, `${JSON.stringify(figures, null, 2)}\n`);
}

interface Parameters {
  timers: number;
  clients: number;
  rate: number;
  seconds: number;
  rounds: number;
  seed: number;
}

async function measure(parameters: Parameters): Promise<object> {
  const [redis, database] = await Promise.all([startRedis(), startMariaDb({ flushLogAtCommit: 1 })]);
  try {
    const environment = await environmentOf(redis.url, database.url);
    const { timers, clients, rate, seconds, seed } = parameters;
    say(describeEnvironment(environment));
    say(`${clients} players claim and solve ${rate} times a second for ${seconds} s; seed ${seed}`);
    say(`beside nothing; beside ${timers} timers of their node that fall due at once, a durable turn each;`);
    say("beside a bare process that sends the statements of as many turns, on as many connections\n");
    const [databaseUrl, bareDatabaseUrl] = [await database.createDatabase(), await database.createDatabase()];
    const claims = await besideLoad({ ...parameters, redisUrl: redis.url, databaseUrl, bareDatabaseUrl }, (line) =>
      say(`… ${line}`),
    );
    say(`\n${describeClaims(claims)}\n`);
    const statements = await benchStatements({
      databaseUrl,
      rounds: STATEMENT_ROUNDS,
      roundMs: seconds * 1000 * STATEMENT_ROUND,
    });
    say(describeStatements(statements));
    return { environment, parameters, claims, statements };
  } finally {
    await Promise.all([redis.stop(), database.stop()]);
  }
}

function describeClaims(result: BesideLoadResult): string {
  const line = (name: string, pick: (round: BesideRound) => number): string =>
    name.padEnd(40) + BESIDE.map((beside) => figure(medianOf(result[beside].map(pick))).padStart(10)).join("");
  const ratio = (one: Beside, other: Beside): string =>
    medianOf(result[one].map((round, at) => round.traffic.claim.p99 / result[other][at]!.traffic.claim.p99)).toFixed(2);
  const errors = BESIDE.map((beside) => JSON.stringify(result[beside].map(({ traffic }) => traffic.errors)));
  return [
    `${"medians of the rounds, beside".padEnd(40)}${BESIDE.map((beside) => beside.padStart(10)).join("")}`,
    line("claim → answer p50, ms", ({ traffic }) => traffic.claim.p50),
    line("claim → answer p99, ms", ({ traffic }) => traffic.claim.p99),
    line("claim → answer max, ms", ({ traffic }) => traffic.claim.max),
    line("solve → answer p99, ms", ({ traffic }) => traffic.solve.p99),
    line("players late to send p99, ms", ({ traffic }) => traffic.lag.p99),
    line("answered a second", ({ traffic }) => traffic.requestsPerSecond),
    line("turns stored meanwhile", ({ turns }) => turns),
    line("longest stop of who does them, ms", ({ longestStopMs }) => longestStopMs),
    line("cores busy on the machine", ({ traffic }) => traffic.busyCores),
    `refused or lost: ${errors.join(" ")}`,
    `p99 of claims: timers ÷ bare process ${ratio("timers", "bare")}; timers ÷ nothing ${ratio("timers", "nothing")}`,
  ].join("\n");
}

function describeStatements({ ours, raw }: StatementsResult): string {
  const beside = (name: string, pick: (round: StatementsRound) => number): string => {
    const ratio = medianOf(ours.map((round, at) => pick(round) / pick(raw[at]!)));
    const [one, other] = [medianOf(ours.map(pick)), medianOf(raw.map(pick))];
    return `${name}: ${figure(one)} with deadlines, ${figure(other)} of a plain mysql2 pool, ratio ${ratio.toFixed(2)}`;
  };
  return [
    beside("statements a second", ({ perSecond }) => perSecond),
    beside("this process's CPU a statement, µs", ({ cpuMicros }) => cpuMicros),
  ].join("\n");
}

function figure(number: number): string {
  return number >= 100 ? number.toFixed(0) : String(Number(number.toPrecision(2)));
}

await run(main);
