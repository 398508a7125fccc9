import type { Transaction } from "../../entities/sql.ts";
import { OUTCOME } from "./ClueLedger.ts";

/**
 * Stores what each player who solved anything in the hunt came to, by player: the assignments are kept by hunt, and a
 * player's history must not be searched for in all of them. `now` is when the hunt is revealed. Returns how many have solved something.
 */
export async function recordResults(tx: Transaction, huntId: string, now: number): Promise<number> {
  const { affected } = await tx.write(
    `INSERT INTO hunt_results (player_id, hunt_id, points, solved, revealed_at)
     SELECT player_id, hunt_id, SUM(points), COUNT(*), ? FROM hunt_assignments
     WHERE hunt_id = ? AND outcome = ? GROUP BY player_id, hunt_id`,
    [now, huntId, OUTCOME.solved],
  );
  return affected;
}
