import type { Rng } from "../../clock.ts";
import { RingmasterError } from "../../errors.ts";
import { insertNew } from "../insertNew.ts";
import type { Sql, Transaction } from "../sql.ts";
import { keyOf, noteRefused, type RefusedAward, refusedAwards, withoutRoom } from "./refusedAwards.ts";

/** What an award is for, one of the `itemSources` of a domain: with its event, player and item it is the key by which it is paid once. */
export type AwardSource = string;

/** One payment. */
export interface Award {
  source: AwardSource;
  /** The event of that source, at most 64 characters. */
  sourceId: string;
  playerId: string;
  item: string;
  /** Minor units; more than 0, at most `LARGEST_AWARD`. */
  amount: bigint;
}

/** So much of an item; the amount is a decimal string of minor units. */
export interface ItemAmount {
  item: string;
  amount: string;
}

/** A player whose inventory is not the sum of their awards: it must never be found. */
export interface Imbalance {
  playerId: string;
  item: string;
  awarded: string;
  held: string;
}

/** Far below where a sum of awards could leave a BIGINT. */
export const LARGEST_AWARD = 10n ** 15n;
/** Awards a statement. */
const BATCH = 500;
/** Players looked at in one step of the check. */
const CHECK_PAGE = 1000;

/** A prize of a definition: ranks `from` to `to` get the items. */
export interface PrizeRange {
  from: number;
  to: number;
  items: ItemAmount[];
}

/** What the player of this rank gets. */
export function prizesOf(rank: number, ranges: readonly PrizeRange[]): ItemAmount[] {
  return ranges.filter(({ from, to }) => rank >= from && rank <= to).flatMap(({ items }) => items);
}

/** Sums what overlapping ranges give of the same item: an award's key has each item once. */
export function amountsByItem(prizes: readonly ItemAmount[]): Map<string, bigint> {
  const sums = new Map<string, bigint>();
  for (const { item, amount } of prizes) sums.set(item, (sums.get(item) ?? 0n) + BigInt(amount));
  return sums;
}

const AWARDS = {
  table: "awards",
  columns: ["source", "source_id", "player_id", "item", "amount", "batch", "awarded_at"],
};

/** Pays prizes. An award and the change of its inventory are one transaction; a key that was paid is not paid again. */
export class PrizeLedger {
  readonly #sql: Sql;
  readonly #rng: Rng;

  constructor(sql: Sql, rng: Rng) {
    this.#sql = sql;
    this.#rng = rng;
  }

  /**
   * Pays what has not been paid, inside the caller's transaction. Answers how many awards are new. An award that its player has no room for is
   * refused by itself: it is told to `onRefused` and noted (`refused`), and paid when it is tried again and there is room. Throws `not_found` for
   * an unknown item.
   */
  async pay(
    tx: Transaction,
    awards: readonly Award[],
    now: number,
    onRefused: (award: Award) => void = () => {},
  ): Promise<number> {
    await assertPayable(tx, awards);
    // In the order of the key, so that two payers of the same awards wait for each other instead of deadlocking.
    const ordered = awards.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
    let paid = 0;
    for (let from = 0; from < ordered.length; from += BATCH)
      paid += await this.#payFitting(tx, ordered.slice(from, from + BATCH), now, onRefused);
    return paid;
  }

  /** Awards that were refused, since their players would have held more than `LARGEST_HOLDING`, and that have not been paid since. Latest first. */
  refused(limit: number): Promise<RefusedAward[]> {
    return refusedAwards(this.#sql, limit);
  }

  /** What the player has, by item. */
  async inventory(playerId: string): Promise<ItemAmount[]> {
    return this.#sql.query<ItemAmount>(
      "SELECT item, CAST(amount AS CHAR) AS amount FROM inventories WHERE player_id = ? AND amount <> 0 ORDER BY item",
      [playerId],
    );
  }

  /**
   * Every inventory that is not the sum of its awards, at most `limit`. Reads both tables by their keys, a page of players at a
   * time; throws the signal's reason at the next page once it is aborted.
   */
  async imbalances(limit = 100, signal?: AbortSignal): Promise<Imbalance[]> {
    const found: Imbalance[] = [];
    for (let after = ""; found.length < limit; ) {
      signal?.throwIfAborted();
      const last = await this.#lastOfPage(after);
      if (last === undefined) break;
      found.push(...(await this.#imbalancesBetween(after, last)));
      after = last;
    }
    return found.slice(0, limit);
  }

  async #payFitting(
    tx: Transaction,
    awards: readonly Award[],
    now: number,
    onRefused: (award: Award) => void,
  ): Promise<number> {
    const refused = await withoutRoom(tx, awards, BigInt(BATCH) * LARGEST_AWARD);
    if (refused.length === 0) return this.#payBatch(tx, awards, now);
    await noteRefused(tx, refused, now);
    for (const award of refused) onRefused(award);
    const fitting = awards.filter((award) => !refused.includes(award));
    return fitting.length === 0 ? 0 : this.#payBatch(tx, fitting, now);
  }

  async #payBatch(tx: Transaction, awards: readonly Award[], now: number): Promise<number> {
    const batch = this.#rng.id(24);
    const paid = await insertNew(
      tx,
      AWARDS,
      awards.map(({ source, sourceId, playerId, item, amount }) => [
        ...[source, sourceId, playerId, item],
        ...[String(amount), batch, now],
      ]),
    );
    if (paid === 0) return 0;
    const [conflict, added] =
      tx.dialect === "mysql"
        ? ["ON DUPLICATE KEY UPDATE", "VALUES(amount)"]
        : ["ON CONFLICT (player_id, item) DO UPDATE SET", "excluded.amount"];
    await tx.write(
      `INSERT INTO inventories (player_id, item, amount)
       SELECT player_id, item, SUM(amount) FROM awards
       WHERE (source, source_id, player_id, item) IN (${awards.map(() => "(?, ?, ?, ?)").join(", ")}) AND batch = ?
       GROUP BY player_id, item
       ${conflict} amount = inventories.amount + ${added}`,
      [...awards.flatMap((award) => [award.source, award.sourceId, award.playerId, award.item]), batch],
    );
    return paid;
  }

  /** The last player of the page behind `after`; `undefined` when nobody is left. */
  async #lastOfPage(after: string): Promise<string | undefined> {
    // Each side is cut to a page by itself: the union of all who are still to come would be stored anew for every page.
    const side = (table: string): string =>
      `SELECT player_id FROM (SELECT DISTINCT player_id FROM ${table} WHERE player_id > ? ORDER BY player_id LIMIT ${CHECK_PAGE}) of_${table}`;
    const page = await this.#sql.query<{ player_id: string }>(
      `SELECT player_id FROM (${side("awards")} UNION ${side("inventories")}) players ORDER BY player_id LIMIT ${CHECK_PAGE}`,
      [after, after],
    );
    return page.at(-1)?.player_id;
  }

  async #imbalancesBetween(after: string, last: string): Promise<Imbalance[]> {
    const range = "player_id > ? AND player_id <= ?";
    const rows = await this.#sql.query<{ player_id: string; item: string; awarded: string; held: string }>(
      `SELECT player_id, item, CAST(SUM(awarded) AS CHAR) AS awarded, CAST(SUM(held) AS CHAR) AS held FROM (
         SELECT player_id, item, amount AS awarded, 0 AS held FROM awards WHERE ${range}
         UNION ALL SELECT player_id, item, 0, amount FROM inventories WHERE ${range}
       ) both_sides GROUP BY player_id, item HAVING SUM(awarded) <> SUM(held)`,
      [after, last, after, last],
    );
    return rows.map((row) => ({ playerId: row.player_id, item: row.item, awarded: row.awarded, held: row.held }));
  }
}

/** Throws `not_found` unless there are items of all these ids: a definition that names another could never be paid. */
export async function requireItems(sql: Pick<Sql, "query">, ids: Iterable<string>): Promise<void> {
  const items = [...new Set(ids)];
  if (items.length === 0) return;
  const known = await sql.query<{ id: string }>(
    `SELECT id FROM items WHERE id IN (${items.map(() => "?").join(", ")})`,
    items,
  );
  const unknown = items.find((item) => !known.some(({ id }) => id === item));
  if (unknown !== undefined) throw new RingmasterError("not_found", `There is no item ${unknown}.`);
}

/** The ids of all items in these prizes. */
export function itemsIn(ranges: readonly PrizeRange[]): string[] {
  return ranges.flatMap(({ items }) => items.map(({ item }) => item));
}

/** A payment that cannot be made must fail before any is. */
async function assertPayable(sql: Sql, awards: readonly Award[]): Promise<void> {
  await requireItems(
    sql,
    awards.map(({ item }) => item),
  );
  const long = awards.find(({ sourceId, playerId }) => sourceId.length > 64 || playerId.length > 32);
  if (long)
    throw new RingmasterError(
      "invalid_payload",
      "An award's source id has at most 64 characters, its player's at most 32.",
    );
  const bad = awards.find(({ amount }) => amount <= 0n || amount > LARGEST_AWARD);
  if (bad) throw new RingmasterError("invalid_payload", `An award is 1 to ${LARGEST_AWARD} units, not ${bad.amount}.`);
}
