import type { Transaction } from "../../entities/sql.ts";

/**
 * Stores what up to `limit` players after `after` came to who solved anything in the hunt, by player: scores are kept by hunt, and a
 * player's history must not be searched for in all of them. `now` is when the hunt is revealed. To be called once for each part:
 * where it has come to is stored in the same transaction. Returns the last player; undefined when there are no more.
 */
export async function recordResults(
  tx: Transaction,
  huntId: string,
  { after, limit }: { after: string; limit: number },
  now: number,
): Promise<string | undefined> {
  const [last] = await tx.query<{ player_id: string }>(
    "SELECT player_id FROM hunt_scores WHERE hunt_id = ? AND player_id > ? ORDER BY player_id LIMIT 1 OFFSET ?",
    [huntId, after, limit - 1],
  );
  await tx.write(
    `INSERT INTO hunt_results (player_id, hunt_id, points, solved, revealed_at)
     SELECT player_id, hunt_id, points, solved, ? FROM hunt_scores
     WHERE hunt_id = ? AND player_id > ? AND points > 0${last ? " AND player_id <= ?" : ""}`,
    [now, huntId, after, ...(last ? [last.player_id] : [])],
  );
  return last?.player_id;
}
