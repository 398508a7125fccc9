import { failureOfStore } from "../../entities/journaling.ts";
import { exactDouble, type Sql } from "../../entities/sql.ts";
import { finalStandings, finalStandingsOf, playersToBe } from "../../entities/tournaments/Standings.ts";
import type { Order } from "../../entities/tournaments/Tournament.ts";
import type { StandingRow } from "../../stores/tournaments/Leaderboard.ts";

/**
 * The latest committed entry of each player, as `e`; takes the tournament's id as parameter. Entries have no gaps, so it is the
 * one without a successor, which is looked up in the same page of the primary key. As NOT EXISTS, MariaDB would answer it from
 * a scan of all tournaments' entries.
 */
export const LATEST_ENTRIES = `score_entries e
  LEFT JOIN score_entries later ON later.tournament_id = e.tournament_id AND later.player_id = e.player_id
    AND later.entry_no = e.entry_no + 1
  WHERE e.tournament_id = ? AND later.player_id IS NULL`;

/** How standings are sorted: by score, subscore, and who reached them first. */
export function standingOrder(order: Order): string {
  const direction = order === "desc" ? "DESC" : "ASC";
  return `e.best ${direction}, e.best_subscore ${direction}, e.reached_seq`;
}

/** A part of the standings. */
export interface CommittedPage {
  rows: StandingRow[];
  /** Players with a standing. */
  total: number;
}

interface StoredStanding {
  player_id: string;
  player_name: string;
  best: unknown;
  best_subscore: unknown;
  entry_no: unknown;
}

/** The best `limit` players behind the first `offset`, by what is committed: for where there is no board. Sorts all players. */
export async function top(
  sql: Pick<Sql, "query" | "dialect">,
  tournamentId: string,
  order: Order,
  limit: number,
  offset = 0,
): Promise<StandingRow[]> {
  const rows = await asked(
    sql.query<StoredStanding>(
      `SELECT e.player_id, e.player_name, ${exactDouble(sql.dialect, "e.best")} AS best, e.best_subscore, e.entry_no
      FROM ${LATEST_ENTRIES}
      ORDER BY ${standingOrder(order)} LIMIT ? OFFSET ?`,
      [tournamentId, limit, offset],
    ),
  );
  return rows.map((row, at) => ({
    rank: offset + at + 1,
    playerId: row.player_id,
    name: row.player_name,
    score: Number(row.best),
    subscore: Number(row.best_subscore),
    entries: Number(row.entry_no),
  }));
}

/** The player's rank by what is committed; `undefined` without an entry. */
export async function rankOf(
  sql: Pick<Sql, "query" | "dialect">,
  tournamentId: string,
  order: Order,
  playerId: string,
): Promise<number | undefined> {
  const better = order === "desc" ? ">" : "<";
  const [row] = await asked(
    sql.query<{ ahead: unknown }>(
      `SELECT COUNT(e.player_id) AS ahead FROM (
        SELECT best, best_subscore, reached_seq FROM score_entries
        WHERE tournament_id = ? AND player_id = ? ORDER BY entry_no DESC LIMIT 1
      ) own LEFT JOIN (SELECT e.* FROM ${LATEST_ENTRIES}) e ON e.best ${better} own.best
        OR (e.best = own.best AND (e.best_subscore ${better} own.best_subscore
          OR (e.best_subscore = own.best_subscore AND e.reached_seq < own.reached_seq)))
      GROUP BY own.reached_seq`,
      [tournamentId, playerId, tournamentId],
    ),
  );
  return row === undefined ? undefined : Number(row.ahead) + 1;
}

/** A page of the standings by what is committed, and how many players have one: for where there is no board. */
export async function committedPage(
  sql: Pick<Sql, "query" | "dialect">,
  { id, order }: { id: string; order: Order },
  offset: number,
  limit: number,
): Promise<CommittedPage> {
  const [rows, total] = await Promise.all([top(sql, id, order, limit, offset), asked(playersToBe(sql, id))]);
  return { rows, total };
}

/** The same with the player in its middle; no rows for one without an entry. */
export async function committedAround(
  sql: Pick<Sql, "query" | "dialect">,
  tournament: { id: string; order: Order },
  playerId: string,
  limit: number,
): Promise<CommittedPage> {
  const [rank, total] = await Promise.all([
    rankOf(sql, tournament.id, tournament.order, playerId),
    asked(playersToBe(sql, tournament.id)),
  ]);
  if (rank === undefined) return { rows: [], total };
  const middle = rank - 1 - Math.floor(limit / 2);
  return committedPage(sql, tournament, Math.max(0, Math.min(middle, total - limit)), limit);
}

/**
 * Rows of the standings that are stored, read by rank, and how many are: all of them once the tournament is settled, and while it
 * settles as far as that has come. With `around`, that player in their middle as `committedAround` has it.
 */
export async function storedPage(
  sql: Pick<Sql, "query" | "dialect">,
  tournamentId: string,
  { limit, offset = 0, around }: { limit: number; offset?: number | undefined; around?: string | undefined },
): Promise<CommittedPage> {
  const [last] = await asked(
    sql.query<{ place: unknown }>("SELECT MAX(place) AS place FROM standings WHERE tournament_id = ?", [tournamentId]),
  );
  const total = Number(last?.place ?? 0);
  let behind = offset;
  if (around !== undefined) {
    const [own] = await asked(finalStandingsOf(sql, tournamentId, [around]));
    if (own === undefined) return { rows: [], total };
    behind = Math.max(0, Math.min(own.rank - 1 - Math.floor(limit / 2), total - limit));
  }
  return { rows: await asked(finalStandings(sql, tournamentId, behind + 1, behind + limit)), total };
}

async function asked<T>(query: Promise<T>): Promise<T> {
  try {
    return await query;
  } catch (error) {
    throw failureOfStore(error);
  }
}
