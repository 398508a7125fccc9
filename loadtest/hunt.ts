/** Many players in one hunt: `npm run loadtest -- --room hunt --numClients 50 --duration 20 --report out.json`. */
import { z } from "zod";
import { seededRng } from "../src/clock.ts";
import { HUNT_EVENTS, HUNT_TIMES, HuntBot, type HuntPlay } from "./hunts/HuntBot.ts";
import { readSolutions } from "./hunts/solutions.ts";
import { LOAD_HELP, type LoadFlags, numberOf, readFlags } from "./runtime/flags.ts";
import { get } from "./runtime/http.ts";
import { LoadTest } from "./runtime/LoadTest.ts";
import { run } from "./runtime/run.ts";
import { Tally } from "./runtime/Tally.ts";

const huntList = z.object({ hunts: z.array(z.object({ id: z.string(), phase: z.string() })) });

const HELP = `Players who claim, think, answer, and come back when their connection is lost.
There are load tests of tournaments and quests too: npm run loadtest -- tournament --help, and quests --help.

  npm run loadtest -- --room hunt --numClients 50 --duration 20 --report out.json

${LOAD_HELP}
  --hunt ID                  the hunt (the first that is in solving)
  --think MS                 how long a player thinks, on average (1000)
  --wrong SHARE              the share of answers that are wrong on purpose (0.2)
  --answers FILE             right answers as JSON, {prompt: answer}; those of the demo hunt are known
  --seed N                   repeats a test's choices

All players come from this one address. The server allows an address 1000 sign-ins, joins and requests in 10 seconds: start it
with RATE_LIMIT_PER_ADDRESS=1000000 for more than a few hundred players, or they are told rate_limited.

On a terminal this has the screen of the colyseus loadtest tool; otherwise, and with CI set, it prints lines. It exits with 1
when a player could not join, was away at the end and could not come back, or met what the protocol does not allow.
`;

async function main(): Promise<void> {
  const { shared, own, isHelpWanted } = readFlags(process.argv.slice(2), "hunt", {
    hunt: undefined,
    think: "1000",
    wrong: "0.2",
    answers: undefined,
    seed: String(Math.floor(Math.random() * 2 ** 32)),
  });
  if (isHelpWanted) return void process.stdout.write(HELP);
  const seed = numberOf("seed", own.seed!, { isWhole: true });
  const play: HuntPlay = {
    huntId: own.hunt ?? (await firstInSolving(shared)),
    solutions: readSolutions(own.answers),
    thinkMs: numberOf("think", own.think!),
    wrong: numberOf("wrong", own.wrong!, { max: 1 }),
    rng: seededRng(seed),
    tally: new Tally(HUNT_EVENTS, HUNT_TIMES),
  };
  const { huntId, thinkMs, wrong } = play;
  await new LoadTest({
    flags: shared,
    parameters: { hunt: huntId, think: thinkMs, wrong, seed },
    tally: play.tally,
    makeBot: (seat) => new HuntBot(play, seat),
  }).run();
}

async function firstInSolving(flags: LoadFlags): Promise<string> {
  const { hunts } = huntList.parse(await get(flags, "/api/hunts"));
  const found = hunts.find(({ phase }) => phase === "solving");
  if (found === undefined) throw new Error("no hunt is in solving at the moment; name one by --hunt");
  return found.id;
}

await run(main);
