import { failureOfStore } from "../../entities/journaling.ts";
import type { Sql } from "../../entities/sql.ts";
import { finalStandings, finalStandingsOf } from "../../entities/tournaments/Standings.ts";
import type { StandingRow } from "../../stores/tournaments/Leaderboard.ts";

/** A part of the standings. */
export interface StoredPage {
  rows: StandingRow[];
  /** Players with a standing. */
  total: number;
}

/**
 * Rows of the standings that are stored, read by rank, and how many are: all of them once the tournament is settled, and while it
 * settles as far as that has come. With `around`, that player in their middle; no rows for one without a standing.
 */
export async function storedPage(
  sql: Pick<Sql, "query" | "dialect">,
  tournamentId: string,
  { limit, offset = 0, around }: { limit: number; offset?: number | undefined; around?: string | undefined },
): Promise<StoredPage> {
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
