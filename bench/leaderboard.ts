/**
 * How many submissions a leaderboard takes and ranks a second, beside ZADD and ZREVRANK of a bare sorted set in the same run.
 * `npm run bench -- leaderboard --players 1000000`
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { numberOf } from "../loadtest/runtime/flags.ts";
import { startRedis } from "../scripts/servers/redis.ts";
import { describeEnvironment, environmentOf } from "./runtime/environment.ts";
import { medianOf } from "./runtime/medianOf.ts";
import { run, say } from "./runtime/run.ts";
import { benchSubmits, type SubmitRound, type SubmitSide, type SubmitsResult } from "./tournaments/submits.ts";

const HELP = `npm run bench -- leaderboard [flags]

  --players N       who have a standing when it begins (100000)
  --callers N       submissions under way at a time (256)
  --rounds N        boards and bare set in turn, so often (5)
  --seconds N       how long each is measured in a round (2)
  --seed N          repeats a run's scores
  --report FILE     write the figures as JSON
`;

/** A leaderboard shall take so many times as many submissions as a bare sorted set. */
const GOAL = 0.8;

interface Parameters {
  players: number;
  callers: number;
  rounds: number;
  seconds: number;
  seed: number;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      players: { type: "string", default: "100000" },
      callers: { type: "string", default: "256" },
      rounds: { type: "string", default: "5" },
      seconds: { type: "string", default: "2" },
      seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 32)) },
      report: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const whole = { min: 1, isWhole: true };
  const parameters: Parameters = {
    players: numberOf("players", values.players, whole),
    // more would wait for a place in the coalescer's queue
    callers: numberOf("callers", values.callers, { ...whole, max: 10_000 }),
    rounds: numberOf("rounds", values.rounds, whole),
    seconds: numberOf("seconds", values.seconds, { min: 0.1 }),
    seed: numberOf("seed", values.seed, { isWhole: true }),
  };
  const figures = await measure(parameters);
  if (values.report !== undefined) writeFileSync(values.report, `${JSON.stringify(figures, null, 2)}\n`);
}

async function measure(parameters: Parameters): Promise<object> {
  const { players, callers, rounds, seconds, seed } = parameters;
  const redis = await startRedis();
  try {
    const environment = await environmentOf(redis.url);
    say(describeEnvironment(environment));
    say(`${players} players with a standing, ${callers} submissions under way from one process; seed ${seed}`);
    say(
      `each submits a random score of a random player and waits for the rank; ${rounds} rounds of ${seconds} s a side`,
    );
    say("board, last: every entry moves its player; board, best: most do not; both decided and ready to be committed");
    say("bare: ZADD and ZREVRANK of the same players, in one pipeline a turn of the event loop\n");
    const result = await benchSubmits({ redisUrl: redis.url, players, callers, rounds, roundMs: seconds * 1000, seed });
    const ratios = { last: ratioOf(result, "last"), best: ratioOf(result, "best") };
    say(describe(result, ratios));
    return { environment, parameters, ...result, ratios, goal: GOAL };
  } finally {
    await redis.stop();
  }
}

/** The median of the rounds' ratios, each to the bare set of its round. */
function ratioOf(result: SubmitsResult, side: SubmitSide): number {
  return medianOf(result[side].map(({ perSecond }, round) => perSecond / result.bare[round]!.perSecond));
}

function describe(result: SubmitsResult, ratios: { last: number; best: number }): string {
  const sides = ["last", "best", "bare"] as const;
  const line = (name: string, pick: (round: SubmitRound) => number, digits: number): string =>
    [name.padEnd(24), ...sides.map((side) => medianOf(result[side].map(pick)).toFixed(digits).padStart(14))].join("");
  return [
    ["medians".padEnd(24), ...["board, last", "board, best", "bare"].map((head) => head.padStart(14))].join(""),
    line("submissions/s", ({ perSecond }) => perSecond, 0),
    line("p50, ms", ({ latency }) => latency.p50, 2),
    line("p99, ms", ({ latency }) => latency.p99, 2),
    line("Redis' CPU each, µs", ({ redisMicros }) => redisMicros, 1),
    line("this process' each, µs", ({ nodeMicros }) => nodeMicros, 1),
    `board ÷ bare: ${ratios.last.toFixed(2)} (last), ${ratios.best.toFixed(2)} (best); goal ${GOAL}`,
  ].join("\n");
}

await run(main);
