import { insertNew } from "../insertNew.ts";
import type { Database, Sql } from "../sql.ts";

/** Somebody who was in a room of a tournament. */
export interface Entrant {
  tournamentId: string;
  playerId: string;
  /** For the first time, in epoch milliseconds of the node. */
  joinedAt: number;
}

const ENTRANTS = { table: "tournament_entrants", columns: ["tournament_id", "player_id", "joined_at"] };

/** Stores who has joined; of one who is stored already, the first time stays. Some hundreds at most, in the order of the primary key. */
export async function insertEntrants(
  database: Pick<Database, "transaction">,
  entrants: readonly Entrant[],
): Promise<void> {
  const rows = entrants.map(({ tournamentId, playerId, joinedAt }) => [tournamentId, playerId, joinedAt]);
  await database.transaction((tx) => insertNew(tx, ENTRANTS, rows));
}

/** When these players (some hundreds at most) were in a room of the tournament for the first time, those of them that were. */
export async function joinedAtOf(
  sql: Pick<Sql, "query">,
  tournamentId: string,
  playerIds: readonly string[],
): Promise<Map<string, number>> {
  const rows = await sql.query<{ player_id: string; joined_at: unknown }>(
    `SELECT player_id, joined_at FROM tournament_entrants
     WHERE tournament_id = ? AND player_id IN (${playerIds.map(() => "?").join(", ")})`,
    [tournamentId, ...playerIds],
  );
  return new Map(rows.map(({ player_id, joined_at }) => [player_id, Number(joined_at)]));
}
