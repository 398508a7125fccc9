import { exactDouble, type Sql } from "../sql.ts";
import {
  BEST_PLAYER_FIRST,
  keyOf,
  RANKING,
  type RankedPlayer,
  type RankingKey,
  type RankingPage,
  type RankingPart,
  scoreOfMerit,
} from "./Ranking.ts";
import { blockAt, fromOn, playersBefore } from "./rankingBlocks.ts";

interface RankingRow {
  player_id: string;
  player_name: string;
  exact_score: unknown;
  reached_at: unknown;
  entries: unknown;
}

const selected = ({ dialect }: Sql): string =>
  `player_id, player_name, ${exactDouble(dialect, "score")} AS exact_score, reached_at, entries`;

/** A part of a ranking by the blocks as they were found last, by its game's `sign` (`scoreSigns`). Around a player who is not in it there is nobody. */
export async function rankingPage(
  sql: Sql,
  ranking: RankingKey,
  part: RankingPart,
  sign: 1 | -1 = 1,
): Promise<RankingPage> {
  const [ranked] = await sql.query<{ ranked_at: unknown; players: unknown }>(
    `SELECT ranked_at, players FROM ranking_periods WHERE ${RANKING}`,
    keyOf(ranking),
  );
  const total = Number(ranked?.players ?? 0);
  const { startsAt, endsAt } = ranking;
  const page = { startsAt, endsAt, rankedAt: ranked?.ranked_at == null ? null : Number(ranked.ranked_at), total };
  const after =
    part.around === undefined ? part.offset : await beginningAround(sql, ranking, part.around, part.limit, total);
  if (after === undefined || after >= total) return { ...page, rows: [] };
  const block = await blockAt(sql, ranking, after);
  const [condition, params] = block ? fromOn(block) : ["1 = 1", []];
  const limit = Math.min(part.limit, total - after);
  // What is skipped is read of the index alone: only the rows of the page are looked up.
  const rows = await sql.query<RankingRow>(
    `SELECT ${selected(sql)} FROM
       (SELECT player_id AS id FROM rankings WHERE ${RANKING} AND ${condition}
        ORDER BY ${BEST_PLAYER_FIRST} LIMIT ${limit} OFFSET ${after - (block?.before ?? 0)}) part
     JOIN rankings ON ${RANKING} AND player_id = part.id ORDER BY ${BEST_PLAYER_FIRST}`,
    [...keyOf(ranking), ...params, ...keyOf(ranking)],
  );
  return { ...page, rows: rows.map((row, at) => rankedOf(row, after + at + 1, sign)) };
}

/** How many places come before those around a player; `undefined` for a player who has none. */
async function beginningAround(
  sql: Sql,
  ranking: RankingKey,
  playerId: string,
  limit: number,
  total: number,
): Promise<number | undefined> {
  const before = await playersBefore(sql, ranking, playerId);
  if (before === undefined || before >= total) return undefined;
  const centred = before - Math.floor((limit - 1) / 2);
  return Math.max(0, Math.min(centred, total - limit));
}

function rankedOf(
  { player_id, player_name, exact_score, reached_at, entries }: RankingRow,
  rank: number,
  sign: 1 | -1,
): RankedPlayer {
  return {
    rank,
    playerId: player_id,
    name: player_name,
    score: scoreOfMerit(Number(exact_score), sign),
    reachedAt: Number(reached_at),
    entries: Number(entries),
  };
}
