/**
 * What claims of clues cost Redis, in hunts of more and more templates. `npm run bench -- ledger --templates 1,500`
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { numberOf } from "../loadtest/runtime/flags.ts";
import { startRedis } from "../scripts/servers/redis.ts";
import { MAX_TEMPLATES } from "../src/stores/hunts/ledgerRules.ts";
import { benchLedger, type LedgerResult, SIDES } from "./hunts/ledger.ts";
import { describeEnvironment, environmentOf } from "./runtime/environment.ts";
import { medianOf } from "./runtime/medianOf.ts";
import { run, say } from "./runtime/run.ts";

const HELP = `npm run bench -- ledger [flags]

  --templates N,…   templates of the hunts (1,20,100,500)
  --callers N       requests under way at a time, of as many players (200)
  --rounds N        all hunts in turn, so often (5)
  --seconds N       how long each kind of player is measured in a round (1)
  --report FILE     write the figures as JSON
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      templates: { type: "string", default: "1,20,100,500" },
      callers: { type: "string", default: "200" },
      rounds: { type: "string", default: "5" },
      seconds: { type: "string", default: "1" },
      report: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return void process.stdout.write(HELP);
  const whole = { min: 1, isWhole: true };
  const templates = values.templates
    .split(",")
    .map((text) => numberOf("templates", text, { ...whole, max: MAX_TEMPLATES }));
  const parameters = {
    templates,
    // A player asks for one thing at a time.
    callers: numberOf("callers", values.callers, { ...whole, max: 200 }),
    rounds: numberOf("rounds", values.rounds, whole),
    roundMs: numberOf("seconds", values.seconds, { min: 0.1 }) * 1000,
  };
  const redis = await startRedis();
  try {
    const environment = await environmentOf(redis.url);
    say(describeEnvironment(environment));
    say(`${parameters.callers} requests under way from one process; ${parameters.rounds} rounds of each in turn`);
    say("newcomers have done nothing yet; veterans have solved all but ten clues, of which nothing is returned: both");
    say("claim a clue and give it back. Done have solved everything, and claim.\n");
    const result = await benchLedger({ ...parameters, redisUrl: redis.url });
    say(describe(templates, result));
    if (values.report !== undefined)
      writeFileSync(values.report, `${JSON.stringify({ environment, parameters, result }, null, 2)}\n`);
  } finally {
    await redis.stop();
  }
}

function describe(templates: readonly number[], result: LedgerResult): string {
  const row = (name: string, cells: readonly string[]): string =>
    [name.padEnd(34), ...cells.map((cell) => cell.padStart(12))].join("");
  const lines = templates.map((count, at) =>
    row(
      `${count}`,
      SIDES.map((side) => medianOf(result[at]![side].map(({ redisMicros }) => redisMicros)).toFixed(1)),
    ),
  );
  return [row("templates; Redis' CPU a request, µs", SIDES), ...lines].join("\n");
}

await run(main);
