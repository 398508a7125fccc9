import { FiguresReader } from "../actors/hunts/FiguresReader.ts";
import { HuntOperations } from "../actors/hunts/HuntOperations.ts";
import { HuntService } from "../actors/hunts/HuntService.ts";
import { DrawQueries } from "../actors/pools/DrawQueries.ts";
import { PoolQueries } from "../actors/pools/PoolQueries.ts";
import { RankingQueries } from "../actors/pools/RankingQueries.ts";
import { POPUPS, PopupActor } from "../actors/popups/PopupActor.ts";
import { PopupViews } from "../actors/popups/PopupViews.ts";
import { InventoryOperations } from "../actors/prizes/InventoryOperations.ts";
import { QuestService } from "../actors/quests/QuestService.ts";
import { WalletService } from "../actors/quests/WalletService.ts";
import { verifiersFor } from "../actors/quests/walletProof.ts";
import type { Actors } from "../actors/runtime/Actors.ts";
import { GameQueries } from "../actors/tournaments/GameQueries.ts";
import { Runs } from "../actors/tournaments/Runs.ts";
import type { ScoreCheck } from "../actors/tournaments/ScoreCheck.ts";
import { checkSnake } from "../actors/tournaments/snakeCheck.ts";
import { TournamentOperations } from "../actors/tournaments/TournamentOperations.ts";
import { TournamentService } from "../actors/tournaments/TournamentService.ts";
import { systemClock, systemRng } from "../clock.ts";
import { Hunts } from "../entities/hunts/Hunt.ts";
import { SessionHistory } from "../entities/sessions/SessionHistory.ts";
import { Tournaments } from "../entities/tournaments/Tournament.ts";
import { LobbyBoard } from "../rooms/lobby/LobbyBoard.ts";
import { AssignmentJournal } from "../stores/hunts/AssignmentJournal.ts";
import { SessionService } from "../stores/sessions/SessionService.ts";
import { Entrants } from "../stores/tournaments/Entrants.ts";
import { ScoreJournal } from "../stores/tournaments/ScoreJournal.ts";
import type { Parts } from "./Parts.ts";

/** Games whose scores are verified before they are taken, by the game's id: CONTRIBUTING.md has an example. */
const SCORE_CHECKS: ReadonlyMap<string, ScoreCheck> = new Map([["snake", checkSnake]]);

/** What rooms and endpoints turn to, one of each a node. */
export type EventServices = Awaited<ReturnType<typeof openServices>>;

/** Opens them; the lifecycle learns what of them must be stopped. */
export async function openServices(parts: Parts, actors: Actors) {
  // Players wait for these; what reads a whole event goes with the reports.
  const players = parts.database.of("commits");
  const hunts = new Hunts(players);
  const tournaments = new Tournaments(players);
  const forTournaments = openTournaments(parts, actors, tournaments);
  await tellUnverified(parts, forTournaments.games);
  return {
    sessions: openSessions(parts, actors),
    ...openHunts(parts, actors, hunts),
    ...forTournaments,
    ...openPools(parts),
    inventories: new InventoryOperations({ database: players, clock: systemClock, rng: systemRng }),
    ...(await openQuests(parts, actors)),
    ...(await openPopups(parts, actors)),
    board: await openBoard(parts, actors, hunts, tournaments),
  };
}

function openHunts({ backplane, database, lifecycle, log, metrics }: Parts, actors: Actors, hunts: Hunts) {
  const { feed, ledger } = backplane;
  const { clock } = actors;
  const figures = new FiguresReader({ database, clock });
  const common = { actors, hunts, ledger, figures, feed, clock, rng: systemRng, log };
  const huntService = new HuntService({
    ...common,
    journal: new AssignmentJournal(database.of("commits"), clock, database),
    setGauges: (id, pool, waiting) => metrics.setHuntGauges(id, pool, waiting),
    removeGauges: (id) => metrics.removeHuntGauges(id),
  });
  lifecycle.onStop("hunts", () => huntService.flush());
  backplane.watch((reachable) => {
    if (reachable) huntService.refresh();
  });
  return { huntService, huntOperations: new HuntOperations({ ...common, database }) };
}

/** Anybody can send any score to a game that nobody verifies: an operator must know which those are. */
async function tellUnverified({ config, log }: Parts, directory: GameQueries): Promise<void> {
  if (!config.production) return;
  const unverified = (await directory.list()).filter(({ id }) => !SCORE_CHECKS.has(id)).map(({ id }) => id);
  if (unverified.length > 0) {
    log.warn({ games: unverified }, "these games have no ScoreCheck: any score that a client sends is believed");
  }
}

function openTournaments(
  { backplane, config, database, lifecycle, log }: Parts,
  actors: Actors,
  tournaments: Tournaments,
) {
  const { feed, leaderboard } = backplane;
  const common = { actors, tournaments, database, clock: actors.clock, rng: systemRng };
  const tournamentService = new TournamentService({
    ...common,
    leaderboard,
    journal: new ScoreJournal(database.of("commits"), actors.clock, database),
    feed,
    log,
    entrants: new Entrants({ database: database.of("commits"), clock: actors.clock, log }),
    checks: SCORE_CHECKS,
    runs: new Runs(config.jwtSecret, systemRng),
  });
  lifecycle.onStop("tournaments", () => tournamentService.flush());
  backplane.watch((reachable) => {
    if (reachable) tournamentService.refresh();
  });
  return {
    tournamentService,
    tournamentOperations: new TournamentOperations({ ...common, service: tournamentService }),
    games: new GameQueries(common),
  };
}

function openPools({ config: { timezone }, ...parts }: Parts) {
  const database = parts.database.of("commits");
  const common = { database, clock: systemClock, rng: systemRng, timezone };
  return { pools: new PoolQueries(common), rankings: new RankingQueries(common), draws: new DrawQueries(database) };
}

async function openQuests({ backplane, config, database, lifecycle, metrics }: Parts, actors: Actors) {
  const common = { actors, database: database.of("commits"), feed: backplane.feed, clock: actors.clock };
  const quests = new QuestService({ ...common, notified: (state, seconds) => metrics.questTold(state, seconds) });
  await quests.open();
  lifecycle.onStop("quests", () => quests.close());
  return {
    quests,
    wallets: new WalletService({ ...common, rng: systemRng, verifiers: verifiersFor(config.production) }),
  };
}

async function openPopups({ config, database, lifecycle }: Parts, actors: Actors) {
  const popup = actors.ref(PopupActor, POPUPS);
  if (config.role !== "web") await popup.arm();
  const popupViews = new PopupViews(database.of("commits"), actors.clock);
  lifecycle.onStop("popup views", () => popupViews.flush());
  return { popup, popupViews };
}

function openSessions({ backplane, database, lifecycle, log }: Parts, { clock, membership }: Actors): SessionService {
  const sessions = new SessionService({
    store: backplane.sessions,
    history: new SessionHistory(database.of("commits")),
    clock,
    nodeId: membership.self.id,
    liveNodes: () => membership.live().map(({ id }) => id),
    log,
  });
  lifecycle.onStop("sessions", () => sessions.flush());
  return sessions;
}

async function openBoard(
  { backplane, database, lifecycle, log }: Parts,
  { clock }: Actors,
  hunts: Hunts,
  tournaments: Tournaments,
): Promise<LobbyBoard> {
  const board = new LobbyBoard({ feed: backplane.feed, hunts, tournaments, database, clock, log });
  await board.start();
  lifecycle.onStop("board", () => board.stop());
  return board;
}
