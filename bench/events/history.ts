import type { LatencySummary } from "../../loadtest/runtime/Latencies.ts";
import { RankingQueries } from "../../src/actors/pools/RankingQueries.ts";
import { LOBBY_TOPIC } from "../../src/actors/runtime/Actor.ts";
import { systemClock } from "../../src/clock.ts";
import { HUNT_LIST } from "../../src/entities/hunts/Hunt.ts";
import { leadersOf } from "../../src/entities/pools/leaders.ts";
import { ALL_TIME, type RankingKey } from "../../src/entities/pools/Ranking.ts";
import { rank } from "../../src/entities/pools/rankingBook.ts";
import { pastOf, standingOf } from "../../src/entities/quests/QuestProgress.ts";
import type { Database } from "../../src/entities/sql.ts";
import { LobbyBoard } from "../../src/rooms/lobby/LobbyBoard.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import { silentLog } from "../../test/actors/simulation.ts";
import { openDatabase } from "../../test/support/database.ts";
import { oneByOne } from "./huntPage.ts";

export interface HistoryOptions {
  events: number;
  players: number;
  databaseUrl: string;
}

type Tell = (name: string, summary: LatencySummary) => void;

const READS = 30;
const WEEK_MS = 604_800_000;
const WEEKS = 20;
const SCORES = 600_000;
const QUEST_ROUNDS = 10_000;
const LOBBY_ROOMS = 10;
const LOBBY_EVENTS = 1000;
const ALL: RankingKey = { game: "snake", period: "all", ...ALL_TIME };

/** What rankings, pools, quests and the lobby's board cost where there is much history, asked of the database one at a time. */
export async function benchHistory({ events, players, databaseUrl }: HistoryOptions, tell: Tell): Promise<void> {
  const database = await openDatabase({ kind: "mysql", url: databaseUrl, pool: 4 });
  try {
    await benchRankings(database, players, tell);
    await benchWeek(database, tell);
    await benchQuests(database, tell);
    await benchBoard(database, events, tell);
  } finally {
    await database.close();
  }
}

async function benchRankings(database: Database, players: number, tell: Tell): Promise<void> {
  await database.write(
    `INSERT INTO rankings (game, period, starts_at, player_id, player_name, score, reached_at, reached_seq, entries)
     SELECT 'snake', 'all', 0, CONCAT('p', seq), 'n', seq % 9973, seq, seq, 1 FROM seq_1_to_${players}`,
  );
  await database.write(
    `INSERT INTO ranking_periods (game, period, starts_at, ends_at, changes, ranked_changes, players)
     VALUES ('snake', 'all', 0, ${ALL_TIME.endsAt}, 1, 0, 0)`,
  );
  const again = () => rank(database, ALL, Date.now(), new AbortController().signal);
  tell(`a ranking of ${players} players, ranked first`, await oneByOne(again, 1));
  await database.write("UPDATE rankings SET score = 99999 WHERE player_id = 'p7'");
  await database.write("UPDATE ranking_periods SET changes = changes + 1");
  tell("the same after one has moved to the top", await oneByOne(again, 3));
  const queries = new RankingQueries({ clock: systemClock, timezone: "UTC", database });
  const page = (part: object) => () =>
    queries.page("snake", "all", { limit: 100, offset: 0, around: undefined, ...part });
  tell("its last page", await oneByOne(page({ offset: players - 100 }), READS));
  tell("its rows around a player", await oneByOne(page({ around: "p777" }), READS));
}

/** Scores of many weeks, of which the last one's are asked for, without a ranking that has counted them. */
async function benchWeek(database: Database, tell: Tell): Promise<void> {
  const startsAt = WEEKS * WEEK_MS;
  await database.write(
    `INSERT INTO tournaments (id, name, game, phase, starts_at, ends_at, phase_ends_at, over_at, board_epoch, definition,
       prizes_distributed, created_by, created_at, updated_at)
     VALUES ('t', 'T', 'snake', 'open', 1, 2, 0, 0, 1, '{"prizes":[]}', 1, 'op', 0, 0)`,
  );
  await database.write(
    `INSERT INTO score_entries (tournament_id, player_id, entry_no, submission_id, player_name, game, score, subscore, best,
       best_subscore, seq, reached_seq, told_rank, stored_at)
     SELECT 't', CONCAT('p', seq), 1, 's', 'n', 'snake', seq % 9973, 0, 0, 0, seq, seq, 1, ${startsAt} + seq * ${Math.floor(WEEK_MS / SCORES) * WEEKS} - ${(WEEKS - 1) * WEEK_MS}
     FROM seq_1_to_${SCORES}`,
  );
  const week: RankingKey = { game: "snake", period: "weekly", startsAt, endsAt: startsAt + WEEK_MS };
  tell(
    `the best of a week among ${SCORES} scores of ${WEEKS} weeks`,
    await oneByOne(() => leadersOf(database, [week]), 5),
  );
}

async function benchQuests(database: Database, tell: Tell): Promise<void> {
  await database.write(
    `INSERT INTO quest_changes (player_id, quest_id, round, state, at, node)
     SELECT 'p1', 'q1', seq, 'lapsed', seq, 'n' FROM seq_1_to_${QUEST_ROUNDS}`,
  );
  await database.write(
    `INSERT INTO quest_rounds (player_id, quest_id, rounds, completions, ended_round, ended_state, ended_at)
     VALUES ('p1', 'q1', ${QUEST_ROUNDS}, 0, ${QUEST_ROUNDS}, 'lapsed', 1)`,
  );
  const player = { playerId: "p1", questId: "q1" };
  tell(`a start of a quest of ${QUEST_ROUNDS} rounds`, await oneByOne(() => pastOf(database, [player]), READS));
  tell("how a player's quests stand", await oneByOne(() => standingOf(database, "p1"), READS));
}

async function benchBoard(database: Database, events: number, tell: Tell): Promise<void> {
  await database.write(
    `INSERT INTO hunts (id, name, phase, starts_at, phase_ends_at, ends_at, ledger_epoch, definition, created_by, created_at, updated_at)
     SELECT CONCAT('h', seq), 'n', 'scheduled', 1000000 + seq, 1000000 + seq, seq, 0, '{"clues":[],"repeat":1}', 'op', 0, 0 FROM seq_1_to_${events}`,
  );
  const feed = new MemoryFeed();
  const board = new LobbyBoard({
    feed,
    lists: new Map([["hunts", HUNT_LIST.lobby("hunt")]]),
    database,
    clock: systemClock,
    log: silentLog,
  });
  tell(`the lobby's board read, of ${events} events`, await oneByOne(() => board.start(), 1));
  for (let room = 0; room < LOBBY_ROOMS; room += 1)
    board.join({ onBoard: () => [board.on, board.coming], onEvent: () => {}, onReset: () => {} });
  let at = 0;
  const event = async (): Promise<void> => {
    const id = `h${1 + (at++ % 50)}`;
    const data = { id, name: "n", phase: "scheduled", startsAt: 1_000_000 + at, phaseEndsAt: 1_000_000 + at };
    await feed.append([{ key: `e${at}`, topic: LOBBY_TOPIC, at, type: "huntPhase", data }]);
  };
  tell(`an event of the lobby with ${LOBBY_ROOMS} rooms`, await oneByOne(event, LOBBY_EVENTS));
  board.stop();
}
