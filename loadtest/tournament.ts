/** Many players in one tournament: `npm run loadtest -- tournament --operator TOKEN --numClients 1000 --duration 60 --report out.json`. */
import { z } from "zod";
import { seededRng } from "../src/clock.ts";
import { LOAD_HELP, type LoadFlags, numberOf, readFlags } from "./runtime/flags.ts";
import { get, post } from "./runtime/http.ts";
import { LoadTest } from "./runtime/LoadTest.ts";
import { run } from "./runtime/run.ts";
import { Tally } from "./runtime/Tally.ts";
import { rules, tournamentList } from "./tournaments/answers.ts";
import {
  TOURNAMENT_EVENTS,
  TOURNAMENT_TIMES,
  TournamentBot,
  type TournamentPlay,
} from "./tournaments/TournamentBot.ts";

const HELP = `Players who submit scores, and come back when their connection is lost.

  npm run loadtest -- tournament --operator TOKEN --numClients 1000 --duration 60 --report out.json

${LOAD_HELP}
  --tournament ID            the tournament (the first that is open); or
  --operator TOKEN           an operator's token, with which one is made
  --game ID                  the game of one that is made (tetris)
  --rate N                   submissions a second of each player, on average (1); a game allows so many a minute
  --seed N                   repeats a test's choices

Every answer is checked: how many entries the player has, what counts, and that ranks are ranks. A submission that is not
answered is sent again under its id.

All players come from this one address. The server allows an address 1000 sign-ins, joins and requests in 10 seconds: start it
with RATE_LIMIT_PER_ADDRESS=1000000 for more than a few hundred players, or they are told rate_limited.
`;

/** A tournament that is made lasts as long as a test may. */
const LASTS_MS = 24 * 3_600_000;

async function main(): Promise<void> {
  const { shared, own, isHelpWanted } = readFlags(process.argv.slice(2), "tournament", {
    tournament: undefined,
    operator: undefined,
    game: "tetris",
    rate: "1",
    seed: String(Math.floor(Math.random() * 2 ** 32)),
  });
  if (isHelpWanted) return void process.stdout.write(HELP);
  const seed = numberOf("seed", own.seed!, { isWhole: true });
  const rate = numberOf("rate", own.rate!, { min: 0.001, max: 100 });
  const tournamentId =
    own.tournament ??
    (own.operator === undefined ? await firstOpen(shared) : await madeTournament(shared, own.operator, own.game!));
  const play: TournamentPlay = {
    tournamentId,
    rules: rules.parse(await get(shared, `/api/tournaments/${tournamentId}`)),
    everyMs: 1000 / rate,
    rng: seededRng(seed),
    tally: new Tally(TOURNAMENT_EVENTS, TOURNAMENT_TIMES),
  };
  await new LoadTest({
    flags: shared,
    parameters: { tournament: tournamentId, rate, seed },
    tally: play.tally,
    makeBot: (seat) => new TournamentBot(play, seat),
  }).run();
}

async function firstOpen(flags: LoadFlags): Promise<string> {
  const { tournaments } = tournamentList.parse(await get(flags, "/api/tournaments"));
  const found = tournaments.find(({ phase }) => phase === "open");
  if (found === undefined)
    throw new Error("no tournament is open; name one by --tournament, or have one made by --operator");
  return found.id;
}

async function madeTournament(flags: LoadFlags, token: string, game: string): Promise<string> {
  const startsAt = Date.now();
  const definition = { name: "Load test", game, startsAt, endsAt: startsAt + LASTS_MS };
  const made = await post(flags, "/api/tournaments", token, definition);
  return z.object({ id: z.string() }).parse(made).id;
}

await run(main);
