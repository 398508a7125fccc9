import type { Database } from "../../src/entities/sql.ts";

/** What a player was awarded of `TICO` and holds; a side that is left out has no row of the player. */
export interface Balance {
  player: string;
  awarded?: number;
  held?: number;
}

/** So many players, each of whom holds the one that they were awarded, in the order of their ids. */
export function balanced(players: number): Balance[] {
  return Array.from({ length: players }, (_, at) => ({
    player: `p${String(at).padStart(6, "0")}`,
    awarded: 1,
    held: 1,
  }));
}

/** Writes both tables past the ledger, which would keep them alike. */
export async function loadBalances(database: Database, balances: readonly Balance[]): Promise<void> {
  await database.transaction(async (tx) => {
    await tx.load(
      "awards",
      ["source", "source_id", "player_id", "item", "amount", "batch", "awarded_at"],
      balances.flatMap(({ player, awarded }) =>
        awarded === undefined ? [] : [["hunt", "h1", player, "TICO", awarded, "b", 1]],
      ),
    );
    await tx.load(
      "inventories",
      ["player_id", "item", "amount"],
      balances.flatMap(({ player, held }) => (held === undefined ? [] : [[player, "TICO", held]])),
    );
  });
}
