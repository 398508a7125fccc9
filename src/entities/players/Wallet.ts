import { RingmasterError } from "../../errors.ts";
import { insertNew } from "../insertNew.ts";
import type { Database, Sql, Transaction } from "../sql.ts";

/** What a player has connected. Times are epoch milliseconds. */
export interface PlayerLinks {
  wallet: { address: string; connectedAt: number } | null;
  exchange: string | null;
}

/** A text that the player's wallet is to sign. */
export interface WalletChallenge {
  challenge: string;
  expiresAt: number;
}

/** Throws `not_found` when there is no such player. */
export async function linksOf(sql: Pick<Sql, "query">, playerId: string): Promise<PlayerLinks> {
  const [row] = await sql.query<{ wallet: string | null; wallet_connected_at: number; exchange: string | null }>(
    "SELECT wallet, wallet_connected_at, exchange FROM players WHERE id = ?",
    [playerId],
  );
  if (!row) throw noPlayer(playerId);
  const wallet = row.wallet === null ? null : { address: row.wallet, connectedAt: Number(row.wallet_connected_at) };
  return { wallet, exchange: row.exchange };
}

/**
 * Connects a wallet whose owner has proven it to be theirs. An address stays its first player's, also once it is disconnected,
 * so that one wallet cannot earn for many. Throws `conflict` when it is another's, or when the player has another one.
 */
export async function connectWallet(tx: Transaction, playerId: string, address: string, now: number): Promise<void> {
  await insertNew(tx, { table: "wallets", columns: ["address", "player_id", "first_connected_at"] }, [
    [address, playerId, now],
  ]);
  const [holder] = await tx.query<{ player_id: string }>("SELECT player_id FROM wallets WHERE address = ?", [address]);
  if (holder?.player_id !== playerId) throw new RingmasterError("conflict", "This wallet is another player's.");
  const { affected } = await tx.write(
    "UPDATE players SET wallet = ?, wallet_connected_at = ? WHERE id = ? AND wallet IS NULL",
    [address, now, playerId],
  );
  if (affected === 1) return;
  const { wallet } = await linksOf(tx, playerId);
  if (wallet?.address !== address)
    throw new RingmasterError("conflict", "You have a wallet; disconnect it before you connect another.");
}

/** Does nothing when the player has none. */
export async function disconnectWallet(tx: Transaction, playerId: string): Promise<void> {
  await tx.write("UPDATE players SET wallet = NULL, wallet_connected_at = NULL WHERE id = ?", [playerId]);
}

/** Throws `not_found` when there is no such player. */
export async function chooseExchange(tx: Transaction, playerId: string, exchange: string, now: number): Promise<void> {
  const { affected } = await tx.write("UPDATE players SET exchange = ?, exchange_chosen_at = ? WHERE id = ?", [
    exchange,
    now,
    playerId,
  ]);
  if (affected === 0) throw noPlayer(playerId);
}

/** The open challenge of each player: at most one, and good for one try. */
export class WalletChallenges {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Replaces an earlier one. */
  async open(playerId: string, { challenge, expiresAt }: WalletChallenge): Promise<void> {
    await this.#database.write("REPLACE INTO wallet_challenges (player_id, challenge, expires_at) VALUES (?, ?, ?)", [
      playerId,
      challenge,
      expiresAt,
    ]);
  }

  /** Takes the player's challenge away from them: of all who try at once, one gets it. */
  async take(playerId: string): Promise<WalletChallenge | undefined> {
    const [row] = await this.#database.query<{ challenge: string; expires_at: number }>(
      "SELECT challenge, expires_at FROM wallet_challenges WHERE player_id = ?",
      [playerId],
    );
    if (!row) return undefined;
    const { affected } = await this.#database.write(
      "DELETE FROM wallet_challenges WHERE player_id = ? AND challenge = ?",
      [playerId, row.challenge],
    );
    return affected === 1 ? { challenge: row.challenge, expiresAt: Number(row.expires_at) } : undefined;
  }
}

function noPlayer(playerId: string): RingmasterError {
  return new RingmasterError("not_found", `There is no player ${playerId}.`);
}
