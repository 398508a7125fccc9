import { insertNew } from "../insertNew.ts";
import type { Sql, Transaction } from "../sql.ts";
import type { Award, AwardSource } from "./PrizeLedger.ts";

/** What a player may hold of an item: below 2^63, where a BIGINT ends and SQLite would go on with a float. */
export const LARGEST_HOLDING = 9n * 10n ** 18n;

/** An award that could not be paid, since its player would have held more than `LARGEST_HOLDING`. */
export interface RefusedAward extends Omit<Award, "amount"> {
  /** A decimal string of minor units. */
  amount: string;
  /** When it was refused first, in epoch milliseconds. */
  refusedAt: number;
}

const REFUSED = {
  table: "refused_awards",
  columns: ["source", "source_id", "player_id", "item", "amount", "refused_at"],
};

/**
 * Those of some awards that their players have no room for, in the order given; what has been paid before needs none. `most` is what all of
 * them come to at most. Reads nothing but the players' inventories unless one of them is nearly full. Two payers at once may both find room
 * that is there for one of them: then MySQL refuses the statement of the second one, whose transaction is tried again.
 */
export async function withoutRoom(tx: Sql, awards: readonly Award[], most: bigint): Promise<Award[]> {
  const held = await nearlyFull(tx, awards, LARGEST_HOLDING - most);
  if (held.size === 0) return [];
  const concerned = awards.filter((award) => held.has(holderOf(award)));
  const paid = await paidOf(tx, concerned);
  return concerned.filter((award) => {
    if (paid.has(keyOf(award))) return false;
    const after = held.get(holderOf(award))! + award.amount;
    if (after > LARGEST_HOLDING) return true;
    held.set(holderOf(award), after);
    return false;
  });
}

/** Notes them, each once, for an operator to see to. */
export async function noteRefused(tx: Transaction, awards: readonly Award[], now: number): Promise<void> {
  await insertNew(
    tx,
    REFUSED,
    awards.map(({ source, sourceId, playerId, item, amount }) => [
      source,
      sourceId,
      playerId,
      item,
      String(amount),
      now,
    ]),
  );
}

/** What was refused and has not been paid since, latest first. */
export async function refusedAwards(sql: Pick<Sql, "query">, limit: number): Promise<RefusedAward[]> {
  const rows = await sql.query<
    Record<"source_id" | "player_id" | "item" | "amount", string> & { source: AwardSource; refused_at: unknown }
  >(
    `SELECT source, source_id, player_id, item, CAST(amount AS CHAR) AS amount, refused_at FROM refused_awards refused
     WHERE NOT EXISTS (SELECT 1 FROM awards WHERE awards.source = refused.source AND awards.source_id = refused.source_id
       AND awards.player_id = refused.player_id AND awards.item = refused.item)
     ORDER BY refused_at DESC LIMIT ?`,
    [limit],
  );
  return rows.map(({ source, source_id, player_id, item, amount, refused_at }) => ({
    source,
    sourceId: source_id,
    playerId: player_id,
    item,
    amount,
    refusedAt: Number(refused_at),
  }));
}

async function nearlyFull(tx: Sql, awards: readonly Award[], from: bigint): Promise<Map<string, bigint>> {
  const holders = [...new Map(awards.map((award) => [holderOf(award), award])).values()];
  const rows = await tx.query<{ player_id: string; item: string; amount: string }>(
    `SELECT player_id, item, CAST(amount AS CHAR) AS amount FROM inventories
     WHERE (player_id, item) IN (${holders.map(() => "(?, ?)").join(", ")}) AND amount > ${from}`,
    holders.flatMap(({ playerId, item }) => [playerId, item]),
  );
  return new Map(rows.map(({ player_id, item, amount }) => [holderOf({ playerId: player_id, item }), BigInt(amount)]));
}

async function paidOf(tx: Sql, awards: readonly Award[]): Promise<Set<string>> {
  const rows = await tx.query<Record<"source" | "source_id" | "player_id" | "item", string>>(
    `SELECT source, source_id, player_id, item FROM awards
     WHERE (source, source_id, player_id, item) IN (${awards.map(() => "(?, ?, ?, ?)").join(", ")})`,
    awards.flatMap(({ source, sourceId, playerId, item }) => [source, sourceId, playerId, item]),
  );
  return new Set(
    rows.map(({ source, source_id, player_id, item }) =>
      keyOf({ source, sourceId: source_id, playerId: player_id, item }),
    ),
  );
}

const holderOf = ({ playerId, item }: Pick<Award, "playerId" | "item">): string => `${playerId}\n${item}`;

/** The key of an award as one text. */
export function keyOf({
  source,
  sourceId,
  playerId,
  item,
}: Record<"source" | "sourceId" | "playerId" | "item", string>): string {
  return [source, sourceId, playerId, item].join("\n");
}
