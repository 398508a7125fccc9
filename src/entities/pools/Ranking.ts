import { exactDouble, type Sql } from "../sql.ts";
import { PERIOD_TYPES, type Period } from "./Pool.ts";

/** What a ranking covers: a day, a week, or everything. */
export const RANKING_PERIODS = [...PERIOD_TYPES, "all"] as const;
export type RankingPeriod = (typeof RANKING_PERIODS)[number];

/** The period of the rankings of everything. */
export const ALL_TIME: Period = { startsAt: 0, endsAt: Number.MAX_SAFE_INTEGER };

/** One ranking. */
export interface RankingKey extends Period {
  game: string;
  period: RankingPeriod;
}

/** A player in a ranking: the best of their entries, and how many there are. */
export interface RankedPlayer {
  rank: number;
  playerId: string;
  name: string;
  score: number;
  /** When the score was reached first. */
  reachedAt: number;
  entries: number;
}

/** A part of a ranking, as of `rankedAt`. */
export interface RankingPage extends Period {
  /** Epoch milliseconds; `null` before the first time. */
  rankedAt: number | null;
  /** Players in all. */
  total: number;
  rows: RankedPlayer[];
}

/** Which part of a ranking: `limit` rows from `offset + 1` on, or, where a player is named, those around the player. */
export interface RankingPart {
  limit: number;
  offset: number;
  around: string | undefined;
}

interface RankingRow {
  place: unknown;
  player_id: string;
  player_name: string;
  score: unknown;
  reached_at: unknown;
  entries: unknown;
}

/**
 * What a ranking keeps as `score` is the score's **merit**: the score where more is better, else its negative, so that one index sorts the
 * players of every game. Turns a merit into the score, and back.
 */
export function scoreOfMerit(merit: number, sign: 1 | -1): number {
  // Never -0.
  return sign * merit + 0;
}

export const RANKING = "game = ? AND period = ? AND starts_at = ?";
/** Names the column's table: an `exactDouble` that is selected as `score` is text, which would be sorted as text, and without the index. */
export const BEST_PLAYER_FIRST = "rankings.score DESC, reached_at, reached_seq, player_id";
const selected = ({ dialect }: Sql): string =>
  `place, player_id, player_name, ${exactDouble(dialect, "score")} AS score, reached_at, entries`;

/** The parameters of `RANKING`. */
export function keyOf({ game, period, startsAt }: Omit<RankingKey, "endsAt">): unknown[] {
  return [game, period, startsAt];
}

/** A part of a ranking as it was ranked last, by its game's `sign` (`scoreSigns`). Around a player who is not in it there is nobody. */
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
  if (after === undefined) return { ...page, rows: [] };
  const rows = await sql.query<RankingRow>(
    `SELECT ${selected(sql)} FROM rankings WHERE ${RANKING} AND place > ? AND place <= ? ORDER BY place`,
    [...keyOf(ranking), after, after + part.limit],
  );
  return { ...page, rows: rows.map((row) => rankedOf(row, sign)) };
}

/** How many places come before those around a player; `undefined` for a player without a place. */
async function beginningAround(
  sql: Sql,
  ranking: RankingKey,
  playerId: string,
  limit: number,
  total: number,
): Promise<number | undefined> {
  const [row] = await sql.query<{ place: unknown }>(
    `SELECT place FROM rankings WHERE ${RANKING} AND player_id = ? AND place IS NOT NULL`,
    [...keyOf(ranking), playerId],
  );
  if (!row) return undefined;
  const centred = Number(row.place) - 1 - Math.floor((limit - 1) / 2);
  return Math.max(0, Math.min(centred, total - limit));
}

function rankedOf(
  { place, player_id, player_name, score, reached_at, entries }: RankingRow,
  sign: 1 | -1,
): RankedPlayer {
  return {
    rank: Number(place),
    playerId: player_id,
    name: player_name,
    score: scoreOfMerit(Number(score), sign),
    reachedAt: Number(reached_at),
    entries: Number(entries),
  };
}

/** Up to which time the game's entries have been counted; 0 before the first time. With "lock", nobody else counts them until the transaction ends. */
export async function countedUntil(sql: Sql, game: string, mode: "lock" | "read"): Promise<number> {
  const [row] = await sql.query<{ counted_until: unknown }>(
    `SELECT counted_until FROM ranking_marks WHERE game = ? ${mode === "lock" && sql.dialect === "mysql" ? "FOR UPDATE" : ""}`,
    [game],
  );
  return Number(row?.counted_until ?? 0);
}
