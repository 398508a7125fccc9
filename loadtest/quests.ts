/** Many players on one quest: `npm run loadtest -- quests --operator TOKEN --numClients 1000 --duration 120 --report out.json`. */
import { QUEST_EVENTS, QUEST_TIMES, QuestBot, type QuestPlay } from "./quests/QuestBot.ts";
import { numberOf } from "./runtime/flags.ts";
import { made } from "./runtime/http.ts";
import { helpOf, runLoadTest } from "./runtime/runLoadTest.ts";

await runLoadTest({
  room: "lobby",
  help: helpOf({
    about: "Players who start a quest, wait in the lobby to be told of its completion, and start it again.",
    usage: "quests --operator TOKEN --numClients 1000 --duration 120",
    flags: `  --quest ID                 a repeatable quest of the check exchangeChosen; or
  --operator TOKEN           an operator's token, with which such a quest is made
  --due MS                   its delay: from a start until completion is due (60000)
  --spread MS                players begin at random within this time (60000)`,
    more: `
"told" is the time from when completion was due until its player was told, so the clock of this machine has to be the server's.
`,
  }),
  flags: { quest: undefined, operator: undefined, due: "60000", spread: "60000" },
  events: QUEST_EVENTS,
  timed: QUEST_TIMES,
  prepare: async ({ flags, own, rng, tally }) => {
    const dueMs = numberOf("due", own.due!, { isWhole: true });
    const spreadMs = numberOf("spread", own.spread!);
    const questId = own.quest ?? (await made(flags, own.operator, "/api/quests", aQuest(dueMs)));
    const play: QuestPlay = { questId, dueMs, spreadMs, rng, tally };
    return {
      parameters: { quest: questId, due: dueMs, spread: spreadMs },
      makeBot: (seat) => new QuestBot(play, seat),
    };
  },
});

/** A quest that everybody completes again and again by choosing an exchange. */
function aQuest(delayMs: number): object {
  return {
    id: `loadtest-${Date.now().toString(36)}`,
    title: "A load test",
    condition: { check: "exchangeChosen", args: { exchange: "loadtest" } },
    delayMs,
    rewards: [{ item: "TICO", amount: "1" }],
    repeatable: true,
    cooldownMs: 0,
    maxRounds: 10_000,
  };
}
