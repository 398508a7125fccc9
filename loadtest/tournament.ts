/** Many players in one tournament: `npm run loadtest -- tournament --operator TOKEN --numClients 1000 --duration 60 --report out.json`. */
import { type LoadFlags, numberOf } from "./runtime/flags.ts";
import { get, made } from "./runtime/http.ts";
import { helpOf, runLoadTest } from "./runtime/runLoadTest.ts";
import { rules, tournamentList } from "./tournaments/answers.ts";
import {
  TOURNAMENT_EVENTS,
  TOURNAMENT_TIMES,
  TournamentBot,
  type TournamentPlay,
} from "./tournaments/TournamentBot.ts";

/** A tournament that is made lasts as long as a test may. */
const LASTS_MS = 24 * 3_600_000;

await runLoadTest({
  room: "tournament",
  help: helpOf({
    about: "Players who submit scores, and come back when their connection is lost.",
    usage: "tournament --operator TOKEN --numClients 1000 --duration 60",
    flags: `  --tournament ID            the tournament (the first that is open); or
  --operator TOKEN           an operator's token, with which one is made
  --game ID                  the game of one that is made (tetris)
  --rate N                   submissions a second of each player, on average (1); a game allows so many a minute`,
    more: `
Every answer is checked: how many entries the player has, what counts, and that ranks are ranks. A submission that is not
answered is sent again under its id.
`,
  }),
  flags: { tournament: undefined, operator: undefined, game: "tetris", rate: "1" },
  events: TOURNAMENT_EVENTS,
  timed: TOURNAMENT_TIMES,
  prepare: async ({ flags, own, rng, tally }) => {
    const rate = numberOf("rate", own.rate!, { min: 0.001, max: 100 });
    const tournamentId =
      own.tournament ??
      (own.operator === undefined
        ? await firstOpen(flags)
        : await made(flags, own.operator, "/api/tournaments", aTournament(own.game!)));
    const play: TournamentPlay = {
      tournamentId,
      rules: rules.parse(await get(flags, `/api/tournaments/${tournamentId}`)),
      everyMs: 1000 / rate,
      ...{ rng, tally },
    };
    return { parameters: { tournament: tournamentId, rate }, makeBot: (seat) => new TournamentBot(play, seat) };
  },
});

async function firstOpen(flags: LoadFlags): Promise<string> {
  const { tournaments } = tournamentList.parse(await get(flags, "/api/tournaments"));
  const found = tournaments.find(({ phase }) => phase === "open");
  if (found === undefined)
    throw new Error("no tournament is open; name one by --tournament, or have one made by --operator");
  return found.id;
}

function aTournament(game: string): object {
  const startsAt = Date.now();
  return { name: "Load test", game, startsAt, endsAt: startsAt + LASTS_MS };
}
