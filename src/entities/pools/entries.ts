import type { Database, Sql } from "../sql.ts";
import type { Period } from "./Pool.ts";

/**
 * Entries that count for pools, rankings and draws, as `e`: those of every tournament of the game that has not been cancelled. An
 * entry belongs to the time at which it was stored, and counts by its own score, whatever its tournament makes of it.
 */
export const COUNTED = "score_entries e JOIN tournaments t ON t.id = e.tournament_id AND t.phase <> 'cancelled'";

/** Higher scores first, then who came first. Within a tournament, `seq` tells who did in the same millisecond. */
export const BEST_FIRST = "e.score DESC, e.stored_at, e.seq, e.player_id";

/** The best entry of some time. */
export interface BestEntry {
  playerId: string;
  name: string;
  score: number;
  /** Epoch milliseconds. */
  storedAt: number;
}

/** The best entry that was stored in this time; `undefined` when there is none. */
export async function bestOf(sql: Sql, game: string, { startsAt, endsAt }: Period): Promise<BestEntry | undefined> {
  const inTime = "e.game = ? AND e.stored_at >= ? AND e.stored_at < ?";
  // The highest score by itself is found in the index alone.
  const [row] = await sql.query<{ player_id: string; player_name: string; score: unknown; stored_at: unknown }>(
    `SELECT e.player_id, e.player_name, e.score, e.stored_at FROM ${COUNTED}
     WHERE ${inTime} AND e.score = (SELECT MAX(e.score) FROM ${COUNTED} WHERE ${inTime})
     ORDER BY ${BEST_FIRST} LIMIT 1`,
    [game, startsAt, endsAt, game, startsAt, endsAt],
  );
  if (!row) return undefined;
  const { player_id, player_name, score, stored_at } = row;
  return { playerId: player_id, name: player_name, score: Number(score), storedAt: Number(stored_at) };
}

/** When the first entry of the game at or after `from` was stored, whatever its tournament. */
export async function firstStoredAt(sql: Sql, game: string, from: number): Promise<number | undefined> {
  const [row] = await sql.query<{ first: unknown }>(
    "SELECT MIN(stored_at) AS first FROM score_entries WHERE game = ? AND stored_at >= ?",
    [game, from],
  );
  return row?.first == null ? undefined : Number(row.first);
}

/**
 * Waits for the entries that are being stored. An entry takes its time (`stored_at`) after its transaction has locked its tournament's row
 * for sharing; so once this has had the rows for itself, entries that are not to be seen yet will have a later time, by their node's clock.
 */
export async function awaitCommits(database: Database, game: string): Promise<void> {
  // The embedded database has one transaction at a time.
  if (database.dialect === "sqlite") return;
  // A tournament leaves these phases by an update, which has waited for its entries.
  const open = await database.query<{ id: string }>(
    "SELECT id FROM tournaments WHERE game = ? AND phase IN ('open', 'grace')",
    [game],
  );
  for (const { id } of open)
    await database.transaction((tx) => tx.query("SELECT id FROM tournaments WHERE id = ? FOR UPDATE", [id]));
}
