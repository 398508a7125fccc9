import type { Sql } from "../sql.ts";
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

/** The parameters of `RANKING`. */
export function keyOf({ game, period, startsAt }: Omit<RankingKey, "endsAt">): unknown[] {
  return [game, period, startsAt];
}

/** Up to which time the game's entries have been counted; 0 before the first time. With "lock", nobody else counts them until the transaction ends. */
export async function countedUntil(sql: Sql, game: string, mode: "lock" | "read"): Promise<number> {
  const [row] = await sql.query<{ counted_until: unknown }>(
    `SELECT counted_until FROM ranking_marks WHERE game = ? ${mode === "lock" && sql.dialect === "mysql" ? "FOR UPDATE" : ""}`,
    [game],
  );
  return Number(row?.counted_until ?? 0);
}
