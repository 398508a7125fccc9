import { RingmasterError } from "../../errors.ts";
import { insertNew } from "../insertNew.ts";
import { type Award, type ItemAmount, LARGEST_AWARD, type PrizeLedger } from "../prizes/PrizeLedger.ts";
import { exactDouble, type Sql, type Transaction } from "../sql.ts";
import type { BestEntry } from "./entries.ts";

/** How long a pool is open, and what a ranking may cover. */
export const PERIOD_TYPES = ["daily", "weekly"] as const;
export type PeriodType = (typeof PERIOD_TYPES)[number];

/** From its start to just before its end, in epoch milliseconds. */
export interface Period {
  startsAt: number;
  endsAt: number;
}

/** Whose pool: each game has one a period. */
export interface PoolKind {
  game: string;
  period: PeriodType;
}

/** One pool. */
export interface PoolKey extends PoolKind, Period {}

/** What somebody puts into a pool. */
export interface Contribution {
  /** The same id means the same contribution, also in a later period. At most 64 characters. */
  id: string;
  item: string;
  amount: bigint;
  by: string;
}

/** A contribution, and the pool that it is in. */
export interface Contributed extends PoolKey, ItemAmount {
  contributionId: string;
}

/** A pool that is over. */
export interface FinalisedPool extends Period {
  finalisedAt: number;
  /** `null` when nobody has made an entry. */
  winner: PoolWinner | null;
  /** What the winner got. */
  paid: ItemAmount[];
  /** What went into the next pool, since nobody won this one. */
  carriedOver: ItemAmount[];
}

export interface PoolWinner {
  playerId: string;
  name: string;
  /** The address that was connected at that time; `null` when none was. */
  wallet: string | null;
  score: number;
}

interface PoolRow {
  starts_at: unknown;
  ends_at: unknown;
  finalised_at: unknown;
  winner_id: string | null;
  winner_name: string | null;
  winner_wallet: string | null;
  score: unknown;
}

const selected = ({ dialect }: Sql): string =>
  `starts_at, ends_at, finalised_at, winner_id, winner_name, winner_wallet, ${exactDouble(dialect, "score")} AS score`;
const POOL = "game = ? AND period = ? AND starts_at = ?";

/** The latest pool that is finalised. Pools are finalised in order. */
export function latestFinalised(sql: Sql, kind: PoolKind): Promise<Period | undefined> {
  return onePeriod(sql, kind, "AND finalised_at IS NOT NULL", "DESC", []);
}

/** When the first pools begin that are not finalised though one that begins at `before` is: nothing that finalises in order leaves any. */
export async function leftBehind(
  sql: Sql,
  { game, period }: PoolKind,
  before: number,
  limit: number,
): Promise<number[]> {
  const rows = await sql.query<Pick<PoolRow, "starts_at">>(
    `SELECT starts_at FROM pools WHERE game = ? AND period = ? AND finalised_at IS NULL AND starts_at < ? ORDER BY starts_at LIMIT ?`,
    [game, period, before, limit],
  );
  return rows.map(({ starts_at }) => Number(starts_at));
}

/** The first pool, of those of which there is anything, that begins at this time or later. */
export function firstPoolFrom(sql: Sql, kind: PoolKind, from: number): Promise<Period | undefined> {
  return onePeriod(sql, kind, "AND starts_at >= ?", "ASC", [from]);
}

async function onePeriod(
  sql: Sql,
  { game, period }: PoolKind,
  condition: string,
  order: "ASC" | "DESC",
  params: readonly number[],
): Promise<Period | undefined> {
  const [row] = await sql.query<Pick<PoolRow, "starts_at" | "ends_at">>(
    `SELECT starts_at, ends_at FROM pools WHERE game = ? AND period = ? ${condition} ORDER BY starts_at ${order} LIMIT 1`,
    [game, period, ...params],
  );
  return row && { startsAt: Number(row.starts_at), endsAt: Number(row.ends_at) };
}

/**
 * Makes the pool unless it is there. In a transaction of its own: who fails to insert a row keeps a shared lock on it to the end
 * of theirs, and two of them could not lock it then.
 */
export async function ensurePool(sql: Sql, { game, period, startsAt, endsAt }: PoolKey): Promise<void> {
  const [known] = await sql.query(`SELECT 1 FROM pools WHERE ${POOL}`, [game, period, startsAt]);
  if (known) return;
  await insertNew(sql, { table: "pools", columns: ["game", "period", "starts_at", "ends_at"] }, [
    [game, period, startsAt, endsAt],
  ]);
}

/**
 * Keeps everybody else from a pool that is there until the transaction ends. Answers whether it is finalised. Who contributes and
 * who finalises take this lock first, so that a contribution is in before the payment or not at all.
 */
export async function lockPool(
  tx: Transaction,
  { game, period, startsAt }: PoolKey,
): Promise<{ isFinalised: boolean }> {
  const [row] = await tx.query<Pick<PoolRow, "finalised_at">>(
    `SELECT finalised_at FROM pools WHERE ${POOL} ${tx.dialect === "mysql" ? "FOR UPDATE" : ""}`,
    [game, period, startsAt],
  );
  return { isFinalised: row!.finalised_at !== null };
}

/** What is in a pool, by item. */
export async function itemsOf(sql: Sql, pool: PoolKind & Pick<Period, "startsAt">): Promise<ItemAmount[]> {
  return sql.query<ItemAmount>(
    `SELECT item, CAST(SUM(amount) AS CHAR) AS amount FROM pool_contributions WHERE ${POOL} GROUP BY item ORDER BY item`,
    [pool.game, pool.period, pool.startsAt],
  );
}

/** The contribution of this id, if it has been made. */
export async function contributionOf(
  sql: Sql,
  { game, period }: PoolKind,
  id: string,
): Promise<Contributed | undefined> {
  const [row] = await sql.query<Record<"starts_at" | "ends_at" | "amount", unknown> & { item: string }>(
    `SELECT c.starts_at, p.ends_at, c.item, c.amount FROM pool_contributions c
     JOIN pools p ON p.game = c.game AND p.period = c.period AND p.starts_at = c.starts_at
     WHERE c.game = ? AND c.period = ? AND c.contribution_id = ?`,
    [game, period, id],
  );
  if (!row) return undefined;
  const { starts_at, ends_at, item, amount } = row;
  return {
    contributionId: id,
    game,
    period,
    startsAt: Number(starts_at),
    endsAt: Number(ends_at),
    item,
    amount: String(amount),
  };
}

/**
 * Puts a contribution into a pool, inside a transaction that has locked it. One that has been made before, in whichever pool of this kind, changes
 * nothing. Throws `not_found` for an unknown item, and `conflict` when the pool would hold more than one award can be.
 */
export async function addContribution(
  tx: Transaction,
  pool: PoolKey,
  contribution: Contribution,
  now: number,
): Promise<void> {
  const { id, item, amount, by } = contribution;
  const [known] = await tx.query("SELECT 1 FROM items WHERE id = ?", [item]);
  if (!known) throw new RingmasterError("not_found", `There is no item ${item}.`);
  const held = (await itemsOf(tx, pool)).find((each) => each.item === item)?.amount ?? "0";
  if (BigInt(held) + amount > LARGEST_AWARD)
    throw new RingmasterError("conflict", `A pool takes at most ${LARGEST_AWARD} ${item}, and there are ${held}.`);
  await insertContributions(tx, pool, [{ id, item, amount: String(amount), by }], now);
}

const CONTRIBUTIONS = {
  table: "pool_contributions",
  columns: [
    ...["game", "period", "contribution_id", "starts_at"],
    ...["item", "amount", "contributed_by", "contributed_at"],
  ],
};

async function insertContributions(
  tx: Transaction,
  { game, period, startsAt }: PoolKey,
  contributions: ReadonlyArray<ItemAmount & { id: string; by: string }>,
  now: number,
): Promise<void> {
  await insertNew(
    tx,
    CONTRIBUTIONS,
    contributions.map(({ id, item, amount, by }) => [game, period, id, startsAt, item, amount, by, now]),
  );
}

/**
 * Finalises a pool inside a transaction that has locked it and, should there be no winner, locks the `next` one: `best`, the best entry of its time, wins
 * all that is in it. Without an entry, that goes into the next pool.
 */
export async function finalisePool(
  tx: Transaction,
  ledger: Pick<PrizeLedger, "pay">,
  { pool, next, best, now }: { pool: PoolKey; next: PoolKey; best: BestEntry | undefined; now: number },
): Promise<void> {
  const { game, period, startsAt } = pool;
  const items = await itemsOf(tx, pool);
  const missing = items.find(({ amount }) => BigInt(amount) < 0n);
  if (missing) throw new Error(`it holds ${missing.amount} ${missing.item}`);
  if (best) await ledger.pay(tx, awardsOf(pool, best.playerId, items), now);
  else await carryOver(tx, pool, next, items, now);
  const wallet = best ? await walletOf(tx, best.playerId) : null;
  await tx.write(
    `UPDATE pools SET finalised_at = ?, winner_id = ?, winner_name = ?, winner_wallet = ?, score = ? WHERE ${POOL}`,
    [now, best?.playerId ?? null, best?.name ?? null, wallet, best?.score ?? null, game, period, startsAt],
  );
}

async function walletOf(sql: Sql, playerId: string): Promise<string | null> {
  const [row] = await sql.query<{ wallet: string | null }>("SELECT wallet FROM players WHERE id = ?", [playerId]);
  return row?.wallet ?? null;
}

/** Several awards where more than one can hold has been carried over. */
function awardsOf({ game, period, startsAt }: PoolKey, playerId: string, items: readonly ItemAmount[]): Award[] {
  const sourceId = `${game}:${period}:${startsAt}`;
  return items.flatMap(({ item, amount }) => {
    const awards: Award[] = [];
    for (let left = BigInt(amount); left > 0n; left -= LARGEST_AWARD)
      awards.push({
        source: "pool",
        sourceId: awards.length === 0 ? sourceId : `${sourceId}:${awards.length + 1}`,
        playerId,
        item,
        amount: left < LARGEST_AWARD ? left : LARGEST_AWARD,
      });
    return awards;
  });
}

async function carryOver(
  tx: Transaction,
  from: PoolKey,
  next: PoolKey,
  items: readonly ItemAmount[],
  now: number,
): Promise<void> {
  if (items.length === 0) return;
  const { isFinalised } = await lockPool(tx, next);
  if (isFinalised)
    throw new Error(`pool ${next.game} ${next.period} ${next.startsAt} was finalised before the one before it`);
  await insertContributions(
    tx,
    next,
    items.map(({ item, amount }) => ({ id: `carried:${from.startsAt}:${item}`, item, amount, by: CARRIED })),
    now,
  );
}

/** Who contributes what nobody has won. */
const CARRIED = "carried-over";

/** The latest of a kind that are over, latest first. */
export async function finalisedPools(sql: Sql, kind: PoolKind, limit: number): Promise<FinalisedPool[]> {
  const { game, period } = kind;
  const rows = await sql.query<PoolRow>(
    `SELECT ${selected(sql)} FROM pools WHERE game = ? AND period = ? AND finalised_at IS NOT NULL ORDER BY starts_at DESC LIMIT ?`,
    [game, period, limit],
  );
  const items = rows.length === 0 ? new Map() : await itemsBetween(sql, kind, rows);
  return rows.map((row) => finalisedOf(row, items.get(Number(row.starts_at)) ?? []));
}

async function itemsBetween(
  sql: Sql,
  { game, period }: PoolKind,
  rows: readonly PoolRow[],
): Promise<Map<number, ItemAmount[]>> {
  const found = await sql.query<ItemAmount & { starts_at: unknown }>(
    `SELECT starts_at, item, CAST(SUM(amount) AS CHAR) AS amount FROM pool_contributions
     WHERE game = ? AND period = ? AND starts_at BETWEEN ? AND ? GROUP BY starts_at, item ORDER BY item`,
    [game, period, rows.at(-1)!.starts_at, rows[0]!.starts_at],
  );
  const items = Map.groupBy(found, (row) => Number(row.starts_at));
  return new Map([...items].map(([at, rows]) => [at, rows.map(({ item, amount }) => ({ item, amount }))]));
}

function finalisedOf(row: PoolRow, items: ItemAmount[]): FinalisedPool {
  const winner =
    row.winner_id === null
      ? null
      : { playerId: row.winner_id, name: row.winner_name!, wallet: row.winner_wallet, score: Number(row.score) };
  return {
    startsAt: Number(row.starts_at),
    endsAt: Number(row.ends_at),
    finalisedAt: Number(row.finalised_at),
    winner,
    paid: winner ? items : [],
    carriedOver: winner ? [] : items,
  };
}
