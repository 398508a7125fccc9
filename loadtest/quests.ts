/** Many players on one quest: `npm run loadtest -- quests --operator TOKEN --numClients 1000 --duration 120 --report out.json`. */
import { seededRng } from "../src/clock.ts";
import { QUEST_EVENTS, QUEST_TIMES, QuestBot, type QuestPlay } from "./quests/QuestBot.ts";
import { FlagError, LOAD_HELP, type LoadFlags, numberOf, readFlags } from "./runtime/flags.ts";
import { post } from "./runtime/http.ts";
import { LoadTest } from "./runtime/LoadTest.ts";
import { run } from "./runtime/run.ts";
import { Tally } from "./runtime/Tally.ts";

const HELP = `Players who start a quest, wait in the lobby to be told of its completion, and start it again.

  npm run loadtest -- quests --operator TOKEN --numClients 1000 --duration 120 --report out.json

${LOAD_HELP}
  --quest ID                 a repeatable quest of the check exchangeChosen; or
  --operator TOKEN           an operator's token, with which such a quest is made
  --due MS                   its delay: from a start until completion is due (60000)
  --spread MS                players begin at random within this time (60000)
  --seed N                   repeats a test's choices

"told" is the time from when completion was due until its player was told, so the clock of this machine has to be the server's.

All players come from this one address. The server allows an address 1000 sign-ins, joins and requests in 10 seconds: start it
with RATE_LIMIT_PER_ADDRESS=1000000 for more than a few hundred players, or they are told rate_limited.
`;

async function main(): Promise<void> {
  const { shared, own, isHelpWanted } = readFlags(process.argv.slice(2), "lobby", {
    quest: undefined,
    operator: undefined,
    due: "60000",
    spread: "60000",
    seed: String(Math.floor(Math.random() * 2 ** 32)),
  });
  if (isHelpWanted) return void process.stdout.write(HELP);
  const seed = numberOf("seed", own.seed!, { isWhole: true });
  const dueMs = numberOf("due", own.due!, { isWhole: true });
  const play: QuestPlay = {
    questId: own.quest ?? (await madeQuest(shared, own.operator, dueMs)),
    dueMs,
    spreadMs: numberOf("spread", own.spread!),
    rng: seededRng(seed),
    tally: new Tally(QUEST_EVENTS, QUEST_TIMES),
  };
  const { questId, spreadMs } = play;
  await new LoadTest({
    flags: shared,
    parameters: { quest: questId, due: dueMs, spread: spreadMs, seed },
    tally: play.tally,
    makeBot: (seat) => new QuestBot(play, seat),
  }).run();
}

/** Makes a quest that everybody completes again and again by choosing an exchange. */
async function madeQuest(flags: LoadFlags, token: string | undefined, delayMs: number): Promise<string> {
  if (token === undefined) throw new FlagError("--quest or --operator: one of them is needed");
  const id = `loadtest-${Date.now().toString(36)}`;
  await post(flags, "/api/quests", token, {
    id,
    title: "A load test",
    condition: { check: "exchangeChosen", args: { exchange: "loadtest" } },
    delayMs,
    rewards: [{ item: "TICO", amount: "1" }],
    repeatable: true,
    cooldownMs: 0,
    maxRounds: 10_000,
  });
  return id;
}

await run(main);
