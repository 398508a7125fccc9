/**
 * How long actors whose node is killed are silent, and those of the next node that is killed, and of the one after that, on real
 * servers. `npm run bench -- takeover --actors 10000`
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { numberOf } from "../loadtest/runtime/flags.ts";
import { startMariaDb } from "../scripts/servers/mariadb.ts";
import { benchTakeover, type Takeover } from "./actors/takeover.ts";
import { describeEnvironment, environmentOf } from "./runtime/environment.ts";
import { run, say } from "./runtime/run.ts";

const HELP = `npm run bench -- takeover [flags]

  --actors N        actors on the node that is killed, each with a timer (400)
  --period SECONDS  from one firing of each timer to the next; they are spread evenly over it (5)
  --report FILE     write the figures as JSON
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      actors: { type: "string", default: "400" },
      period: { type: "string", default: "5" },
      report: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const parameters = {
    actors: numberOf("actors", values.actors, { min: 1, isWhole: true }),
    period: numberOf("period", values.period, { min: 1 }),
  };
  const database = await startMariaDb({ flushLogAtCommit: 1 });
  try {
    const { environment, kills } = await measure(parameters, await database.createDatabase());
    say(`\n${describe(kills)}`);
    if (values.report !== undefined)
      writeFileSync(values.report, `${JSON.stringify({ environment, parameters, kills }, null, 2)}\n`);
  } finally {
    await database.stop();
  }
}

async function measure(
  { actors, period }: { actors: number; period: number },
  databaseUrl: string,
): Promise<{ environment: object; kills: Takeover[] }> {
  let environment = {};
  const kills = await benchTakeover({ actors, periodMs: period * 1000, databaseUrl }, async (redisUrl) => {
    const found = await environmentOf(redisUrl, databaseUrl);
    environment = found;
    say(describeEnvironment(found));
    say(
      `one node with ${actors} actors, a timer each ${period} s; it is killed, then the one that took over, then the next`,
    );
    say("silence: from the kill, or the due time where that is later, to the turn on another node; ms\n");
  });
  return { environment, kills };
}

function describe(kills: readonly Takeover[]): string {
  const rows = kills.map(
    ({ apartMs, p50, p99, max }, at) =>
      `${at + 1}     ${String(Math.round(apartMs / 1000)).padStart(5)}  ${[p50, p99, max].map((ms) => String(Math.round(ms)).padStart(6)).join("  ")}`,
  );
  return ["kill  after s   p50     p99     max", ...rows].join("\n");
}

await run(main);
