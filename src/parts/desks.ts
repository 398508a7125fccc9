import { FiguresReader } from "../actors/hunts/FiguresReader.ts";
import { HuntDesk } from "../actors/hunts/HuntDesk.ts";
import { HuntOffice } from "../actors/hunts/HuntOffice.ts";
import { DrawOffice } from "../actors/pools/DrawOffice.ts";
import { PoolOffice } from "../actors/pools/PoolOffice.ts";
import { RankingOffice } from "../actors/pools/RankingOffice.ts";
import { POPUPS, PopupActor } from "../actors/popups/PopupActor.ts";
import { PopupViews } from "../actors/popups/PopupViews.ts";
import { InventoryOffice } from "../actors/prizes/InventoryOffice.ts";
import { QuestDesk } from "../actors/quests/QuestDesk.ts";
import { WalletDesk } from "../actors/quests/WalletDesk.ts";
import { verifiersFor } from "../actors/quests/walletProof.ts";
import type { Actors } from "../actors/runtime/Actors.ts";
import { GameOffice } from "../actors/tournaments/GameOffice.ts";
import { Runs } from "../actors/tournaments/Runs.ts";
import type { ScoreCheck } from "../actors/tournaments/ScoreCheck.ts";
import { checkSnake } from "../actors/tournaments/snakeCheck.ts";
import { TournamentDesk } from "../actors/tournaments/TournamentDesk.ts";
import { TournamentOffice } from "../actors/tournaments/TournamentOffice.ts";
import { systemClock, systemRng } from "../clock.ts";
import { Hunts } from "../entities/hunts/Hunt.ts";
import { SessionHistory } from "../entities/sessions/SessionHistory.ts";
import { Tournaments } from "../entities/tournaments/Tournament.ts";
import { LobbyBoard } from "../rooms/lobby/LobbyBoard.ts";
import { AssignmentJournal } from "../stores/hunts/AssignmentJournal.ts";
import { SessionDesk } from "../stores/sessions/SessionDesk.ts";
import { Entrants } from "../stores/tournaments/Entrants.ts";
import { ScoreJournal } from "../stores/tournaments/ScoreJournal.ts";
import type { Parts } from "./Parts.ts";

/** Games whose scores are verified before they are taken, by the game's id: CONTRIBUTING.md has an example. */
const SCORE_CHECKS: ReadonlyMap<string, ScoreCheck> = new Map([["snake", checkSnake]]);

/** What rooms and endpoints turn to, one of each a node. */
export type Desks = Awaited<ReturnType<typeof openDesks>>;

/** Opens them; the lifecycle learns what of them must be stopped. */
export async function openDesks(parts: Parts, actors: Actors) {
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
    inventories: new InventoryOffice({ database: players, clock: systemClock, rng: systemRng }),
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
  const huntDesk = new HuntDesk({
    ...common,
    journal: new AssignmentJournal(database.of("commits"), clock, database),
    stands: (id, pool, waiting) => metrics.huntStands(id, pool, waiting),
    forget: (id) => metrics.forgetHunt(id),
  });
  lifecycle.onStop("hunts", () => huntDesk.flush());
  backplane.watch((reachable) => {
    if (reachable) huntDesk.refresh();
  });
  return { huntDesk, huntOffice: new HuntOffice({ ...common, database }) };
}

/** Anybody can send any score to a game that nobody verifies: an operator must know which those are. */
async function tellUnverified({ config, log }: Parts, directory: GameOffice): Promise<void> {
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
  const tournamentDesk = new TournamentDesk({
    ...common,
    leaderboard,
    journal: new ScoreJournal(database.of("commits"), actors.clock, database),
    feed,
    log,
    entrants: new Entrants({ database: database.of("commits"), clock: actors.clock, log }),
    checks: SCORE_CHECKS,
    runs: new Runs(config.jwtSecret, systemRng),
  });
  lifecycle.onStop("tournaments", () => tournamentDesk.flush());
  backplane.watch((reachable) => {
    if (reachable) tournamentDesk.refresh();
  });
  return {
    tournamentDesk,
    tournamentOffice: new TournamentOffice({ ...common, desk: tournamentDesk }),
    games: new GameOffice(common),
  };
}

function openPools({ config: { timezone }, ...parts }: Parts) {
  const database = parts.database.of("commits");
  const common = { database, clock: systemClock, rng: systemRng, timezone };
  return { pools: new PoolOffice(common), rankings: new RankingOffice(common), draws: new DrawOffice(database) };
}

async function openQuests({ backplane, config, database, lifecycle, metrics }: Parts, actors: Actors) {
  const common = { actors, database: database.of("commits"), feed: backplane.feed, clock: actors.clock };
  const quests = new QuestDesk({ ...common, told: (state, seconds) => metrics.questTold(state, seconds) });
  await quests.open();
  lifecycle.onStop("quests", () => quests.close());
  return {
    quests,
    wallets: new WalletDesk({ ...common, rng: systemRng, verifiers: verifiersFor(config.production) }),
  };
}

async function openPopups({ config, database, lifecycle }: Parts, actors: Actors) {
  const popup = actors.ref(PopupActor, POPUPS);
  if (config.role !== "web") await popup.arm();
  const popupViews = new PopupViews(database.of("commits"), actors.clock);
  lifecycle.onStop("popup views", () => popupViews.flush());
  return { popup, popupViews };
}

function openSessions({ backplane, database, lifecycle, log }: Parts, { clock, membership }: Actors): SessionDesk {
  const sessions = new SessionDesk({
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
