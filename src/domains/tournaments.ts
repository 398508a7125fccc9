import { Entrants } from "../actors/tournaments/Entrants.ts";
import { GameQueries } from "../actors/tournaments/GameQueries.ts";
import { Runs } from "../actors/tournaments/Runs.ts";
import type { ScoreCheck } from "../actors/tournaments/ScoreCheck.ts";
import { ScoreJournal } from "../actors/tournaments/ScoreJournal.ts";
import { checkSnake } from "../actors/tournaments/snakeCheck.ts";
import { TournamentActor, tournamentKind } from "../actors/tournaments/TournamentActor.ts";
import { TournamentDemoActor } from "../actors/tournaments/TournamentDemoActor.ts";
import { TournamentOperations } from "../actors/tournaments/TournamentOperations.ts";
import { TournamentSeriesActor } from "../actors/tournaments/TournamentSeriesActor.ts";
import { TournamentService } from "../actors/tournaments/TournamentService.ts";
import { systemClock, systemRng } from "../clock.ts";
import { Tournaments20261121000700 } from "../entities/migrations/20261121000700-tournaments.ts";
import { TournamentIndexes20261121001000 } from "../entities/migrations/20261121001000-tournament-indexes.ts";
import { ScoreOrder20261130050300 } from "../entities/migrations/20261130050300-score-order.ts";
import { ScorePrecision20261130090000 } from "../entities/migrations/20261130090000-score-precision.ts";
import { ScoresInUnits20261130090100 } from "../entities/migrations/20261130090100-scores-in-units.ts";
import { TournamentEntrants20261130100000 } from "../entities/migrations/20261130100000-tournament-entrants.ts";
import { Runs20261130130100 } from "../entities/migrations/20261130130100-runs.ts";
import { TournamentStandstill20261130140120 } from "../entities/migrations/20261130140120-tournament-standstill.ts";
import { TournamentCancelReasons20261130160010 } from "../entities/migrations/20261130160010-tournament-cancel-reasons.ts";
import { TOURNAMENT_ERRORS } from "../entities/tournaments/errors.ts";
import { TOURNAMENT_LIST, Tournament, Tournaments } from "../entities/tournaments/Tournament.ts";
import { gameRoutes } from "../http/games.ts";
import { tournamentRoutes } from "../http/tournaments.ts";
import { TOURNAMENT_COMMANDS, TOURNAMENT_QUERIES } from "../operations/tournaments.ts";
import { TournamentRoom } from "../rooms/tournaments/TournamentRoom.ts";
import { orphans } from "../schedulers/retention/purges.ts";
import type { Leaderboard } from "../stores/tournaments/Leaderboard.ts";
import { MemoryLeaderboard } from "../stores/tournaments/MemoryLeaderboard.ts";
import { RedisLeaderboard } from "../stores/tournaments/RedisLeaderboard.ts";
import type { Logger } from "../telemetry/log.ts";
import { HOT_PATH } from "../telemetry/Meters.ts";
import { events } from "./events.ts";
import { prizes } from "./prizes.ts";
import { defineDomain } from "./runtime/Domain.ts";

/** Games whose scores are verified before they are taken, by the game's id: CONTRIBUTING.md has an example. */
const SCORE_CHECKS: ReadonlyMap<string, ScoreCheck> = new Map([["snake", checkSnake]]);

const parents = "tournaments";

/** Scores, and what they win. */
export const tournaments = defineDomain({
  name: "tournaments",
  needs: { events, prizes },
  entities: [Tournament],
  migrations: [
    Tournaments20261121000700,
    TournamentIndexes20261121001000,
    ScoreOrder20261130050300,
    ScorePrecision20261130090000,
    ScoresInUnits20261130090100,
    TournamentEntrants20261130100000,
    Runs20261130130100,
    TournamentStandstill20261130140120,
    TournamentCancelReasons20261130160010,
  ],
  errors: TOURNAMENT_ERRORS,
  itemSources: ["tournament"],
  retention: [
    orphans({ name: "scoreEntries", table: "score_entries", key: ["tournament_id", "player_id", "entry_no"], parents }),
    orphans({
      name: "tournamentEntrants",
      table: "tournament_entrants",
      key: ["tournament_id", "player_id"],
      parents,
      // Nobody is asked for once nothing is taken.
      of: "parents.phase IN ('scheduled', 'open', 'grace')",
    }),
    orphans({ name: "standings", table: "standings", key: ["tournament_id", "place"], parents }),
  ],
  lobby: TOURNAMENT_LIST.lobby("tournament"),
  stores: async ({ redis }): Promise<{ leaderboard: Leaderboard }> => ({
    leaderboard: redis ? new RedisLeaderboard(await redis("leaderboards")) : new MemoryLeaderboard(),
  }),
  metrics: (meters) => ({
    submitted: meters.histogram(
      "submit_latency_seconds",
      "From the arrival of a player's score to the answer that it counts.",
      HOT_PATH,
    ),
    players: meters.gauge(
      "tournament_players",
      "Players who have a standing in a tournament that has rooms on this node.",
      "tournament",
    ),
    reviewsOverdue: meters.counter(
      "tournament_reviews_overdue_total",
      "Hours for which results of tournaments have been held for review after the first day.",
    ),
  }),
  actors: ({ database, log, metrics, stores: { leaderboard } }) => [
    tournamentKind({
      ...{ database, leaderboard, clock: systemClock, log },
      reviewOverdue: () => metrics.reviewsOverdue.inc(),
    }),
    TournamentSeriesActor,
    TournamentDemoActor,
  ],
  open: async ({ actors, clock, config, database, feed, log, metrics, onBack, onStop, stores: { leaderboard } }) => {
    // Players wait for these; what reads a whole event goes with the reports.
    const players = database.of("commits");
    const tournaments = new Tournaments(players);
    const common = { actors, tournaments, database, clock, rng: systemRng };
    const service = new TournamentService({
      ...common,
      leaderboard,
      journal: new ScoreJournal(players, clock, database),
      feed,
      log,
      entrants: new Entrants({ database: players, clock, log }),
      checks: SCORE_CHECKS,
      runs: new Runs(config.jwtSecret, systemRng),
    });
    onStop(() => service.flush());
    onBack(() => service.refresh());
    const games = new GameQueries(common);
    if (config.production) await tellUnverified(games, log);
    return {
      tournamentService: service,
      tournamentOperations: new TournamentOperations({ ...common, service }),
      games,
      setTournamentGauges: (tournament: string, players: number) => metrics.players.set({ tournament }, players),
      // The tournament is over, or has left this node: gauges would grow with every tournament ever played.
      removeTournamentGauges: (tournament: string) => metrics.players.remove({ tournament }),
      submitted: metrics.submitted,
      demo: actors.ref(TournamentDemoActor, "demo"),
      isEmpty: () => tournaments.isEmpty(),
    };
  },
  rooms: {
    tournament: {
      room: TournamentRoom,
      event: TournamentActor,
      answered: ({ submitted }, type, seconds) => {
        if (type === "submit") submitted.observe(seconds);
      },
    },
  },
  routes: ({ games, tournamentOperations }) => ({
    "/tournaments": tournamentRoutes(tournamentOperations),
    "/games": gameRoutes(games),
  }),
  commands: TOURNAMENT_COMMANDS,
  queries: TOURNAMENT_QUERIES,
  demo: ({ demo, isEmpty }) => ({ isNew: isEmpty, start: () => demo.start(), stop: () => demo.stop() }),
});

/** Anybody can send any score to a game that nobody verifies: an operator must know which those are. */
async function tellUnverified(directory: GameQueries, log: Logger): Promise<void> {
  const unverified = (await directory.list()).filter(({ id }) => !SCORE_CHECKS.has(id)).map(({ id }) => id);
  if (unverified.length > 0) {
    log.warn({ games: unverified }, "these games have no ScoreCheck: any score that a client sends is believed");
  }
}
