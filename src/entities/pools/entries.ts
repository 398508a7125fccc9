import { type Database, exactDouble, type Sql } from "../sql.ts";
import { type ScoreSigns, scoreSigns } from "../tournaments/Game.ts";
import { firstOfEach } from "./firstOfEach.ts";
import type { Period } from "./Pool.ts";

/**
 * Entries that count for pools, rankings and draws, as `e`: those of every tournament of the game that has not been cancelled. An
 * entry belongs to the time at which it was stored, and counts by its own score, whatever its tournament makes of it.
 */
export const COUNTED = "score_entries e JOIN tournaments t ON t.id = e.tournament_id AND t.phase <> 'cancelled'";

/** The same where the entries of some time are read: left to itself, MariaDB reads all entries of every tournament there was. */
export function countedInTime({ dialect }: Pick<Sql, "dialect">): string {
  if (dialect === "sqlite") return COUNTED;
  return COUNTED.replace("e JOIN", "e FORCE INDEX (score_entries_of_game) STRAIGHT_JOIN");
}

/** The best entry of some time. */
export interface BestEntry {
  playerId: string;
  name: string;
  score: number;
  /** Epoch milliseconds. */
  storedAt: number;
}

/** A part of the time of a game. */
export interface GameTime extends Period {
  game: string;
}

const IN_TIME = "e.game = ? AND e.stored_at >= ? AND e.stored_at < ?";
// The best score by itself is found in the index alone. Within a tournament, `seq` tells who came first in the same millisecond.
const best = (sql: Sql, sign: 1 | -1): string =>
  `e.player_id, e.player_name, ${exactDouble(sql.dialect, "e.score")} AS score, e.stored_at FROM ${countedInTime(sql)}
  WHERE ${IN_TIME} AND e.score = (SELECT ${sign === 1 ? "MAX" : "MIN"}(e.score) FROM ${countedInTime(sql)} WHERE ${IN_TIME})
  ORDER BY e.stored_at, e.seq, e.player_id`;

/** The best entry by its game's order that was stored in this time; `undefined` when there is none. */
export async function bestOf(sql: Sql, game: string, time: Period): Promise<BestEntry | undefined> {
  return (await bestOfEach(sql, [{ game, ...time }]))[0];
}

/** The best entries that were stored in these times, at their positions; `known` spares a query for the games' signs. */
export async function bestOfEach(
  sql: Sql,
  times: readonly GameTime[],
  known?: ScoreSigns,
): Promise<Array<BestEntry | undefined>> {
  if (times.length === 0) return [];
  const signs = known ?? (await scoreSigns(sql));
  const rows = await firstOfEach<{ player_id: string; player_name: string; score: unknown; stored_at: unknown }>(
    sql,
    (at) => best(sql, signs.get(times[at]!.game) ?? 1),
    times.map(({ game, startsAt, endsAt }) => [game, startsAt, endsAt, game, startsAt, endsAt]),
  );
  return rows.map(
    (row) =>
      row && {
        playerId: row.player_id,
        name: row.player_name,
        score: Number(row.score),
        storedAt: Number(row.stored_at),
      },
  );
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
