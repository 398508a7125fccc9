import type { Sql, Transaction } from "../sql.ts";

/** The last player whose result is stored: their score, when they reached it, and their rank. */
export interface Recorded {
  points: number;
  reached: number;
  place: number;
}

export const NOTHING_RECORDED: Recorded = { points: Number.MAX_SAFE_INTEGER, reached: 0, place: 0 };

/**
 * Stores what up to `limit` players after `after` came to who solved anything in the hunt, in the order of their ranks, by player: scores are
 * kept by hunt, and a player's history must not be searched for in all of them. `now` is when the hunt is revealed. To be called for
 * one part after the other: where it has come to is stored in the same transaction. Returns the last player; undefined when
 * there are no more.
 */
export async function recordResults(
  tx: Transaction,
  huntId: string,
  { after, limit }: { after: Recorded; limit: number },
  now: number,
): Promise<Recorded | undefined> {
  const from = [huntId, after.points, after.points, after.reached];
  const ranked = `FROM hunt_scores
    WHERE hunt_id = ? AND points > 0 AND (points < ? OR (points = ? AND reached > ?)) ORDER BY hunt_id, points DESC, reached`;
  const [last] = await tx.query<{ points: unknown; reached: unknown }>(
    `SELECT points, reached ${ranked} LIMIT 1 OFFSET ?`,
    [...from, limit - 1],
  );
  await tx.write(
    `INSERT INTO hunt_results (player_id, hunt_id, points, solved, revealed_at, place)
     SELECT player_id, hunt_id, points, solved, ?, ? + ROW_NUMBER() OVER (ORDER BY points DESC, reached)
     FROM (SELECT player_id, hunt_id, points, solved, reached ${ranked} LIMIT ?) part WHERE 1 = 1
     ${unlessStored(tx.dialect)}`,
    [now, after.place, ...from, limit],
  );
  return last && { points: Number(last.points), reached: Number(last.reached), place: after.place + limit };
}

/** A version before stored results by player, and may have come to some of them. */
function unlessStored(dialect: Sql["dialect"]): string {
  return dialect === "mysql"
    ? "ON DUPLICATE KEY UPDATE place = VALUES(place)"
    : "ON CONFLICT (player_id, hunt_id) DO UPDATE SET place = excluded.place";
}
