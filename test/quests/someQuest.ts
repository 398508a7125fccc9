import type { QuestDefinition } from "../../src/actors/quests/definition.ts";
import type { Database } from "../../src/entities/sql.ts";

/** A quest that a wallet completes, after `delayMs`. */
export function someQuest(change: Partial<QuestDefinition> = {}): QuestDefinition {
  return {
    id: "wallet",
    title: "Connect a wallet",
    condition: { check: "walletConnected", args: {} },
    delayMs: 60_000,
    rewards: [{ item: "TICO", amount: "50" }],
    repeatable: false,
    ...change,
  };
}

/** Players who have signed in; `wallets` has them connected. */
export async function insertPlayers(
  database: Database,
  ids: readonly string[],
  { wallets = false }: { wallets?: boolean } = {},
): Promise<void> {
  for (let from = 0; from < ids.length; from += 1000) {
    const page = ids.slice(from, from + 1000);
    await database.write(
      `INSERT INTO players (id, name, created_at, wallet, wallet_connected_at) VALUES ${page.map(() => "(?, ?, 1, ?, ?)").join(", ")}`,
      page.flatMap((id) => [id, id, wallets ? `address-of-${id}` : null, wallets ? 1 : null]),
    );
  }
}
