/** Many players in one hunt: `npm run loadtest -- hunt --numClients 50 --duration 20 --report out.json`. */
import { z } from "zod";
import { HUNT_EVENTS, HUNT_TIMES, HuntBot, type HuntPlay } from "./hunts/HuntBot.ts";
import { readSolutions } from "./hunts/solutions.ts";
import { type LoadFlags, numberOf } from "./runtime/flags.ts";
import { get } from "./runtime/http.ts";
import { helpOf, runLoadTest } from "./runtime/runLoadTest.ts";

const huntList = z.object({ hunts: z.array(z.object({ id: z.string(), phase: z.string() })) });

await runLoadTest({
  room: "hunt",
  help: helpOf({
    about: `Players who claim, think, answer, and come back when their connection is lost.
There are load tests of tournaments and quests too: npm run loadtest -- tournament --help, and quests --help.`,
    usage: "hunt --numClients 50 --duration 20",
    flags: `  --hunt ID                  the hunt (the first that is in solving)
  --think MS                 how long a player thinks, on average (1000)
  --wrong SHARE              the share of answers that are wrong on purpose (0.2)
  --answers FILE             right answers as JSON, {prompt: answer}; those of the demo hunt are known`,
    more: `
On a terminal this has the screen of the colyseus loadtest tool; otherwise, and with CI set, it prints lines. It exits with 1
when a player could not join, was away at the end and could not come back, or met what the protocol does not allow.
`,
  }),
  flags: { hunt: undefined, think: "1000", wrong: "0.2", answers: undefined },
  events: HUNT_EVENTS,
  timed: HUNT_TIMES,
  prepare: async ({ flags, own, rng, tally }) => {
    const play: HuntPlay = {
      huntId: own.hunt ?? (await firstInSolving(flags)),
      solutions: readSolutions(own.answers),
      thinkMs: numberOf("think", own.think!),
      wrong: numberOf("wrong", own.wrong!, { max: 1 }),
      ...{ rng, tally },
    };
    const { huntId, thinkMs, wrong } = play;
    return { parameters: { hunt: huntId, think: thinkMs, wrong }, makeBot: (seat) => new HuntBot(play, seat) };
  },
});

async function firstInSolving(flags: LoadFlags): Promise<string> {
  const { hunts } = huntList.parse(await get(flags, "/api/hunts"));
  const found = hunts.find(({ phase }) => phase === "solving");
  if (found === undefined) throw new Error("no hunt is in solving at the moment; name one by --hunt");
  return found.id;
}
