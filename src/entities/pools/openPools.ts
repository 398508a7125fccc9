import type { ItemAmount } from "../prizes/PrizeLedger.ts";
import type { Sql } from "../sql.ts";
import { firstOfEach } from "./firstOfEach.ts";
import type { Period, PoolKey, PoolKind } from "./Pool.ts";

/** The latest pool of each kind of which there is anything, finalised or not, at the positions of the kinds. */
export async function latestPools(sql: Sql, kinds: readonly PoolKind[]): Promise<Array<Period | undefined>> {
  const rows = await firstOfEach<Record<"starts_at" | "ends_at", unknown>>(
    sql,
    "starts_at, ends_at FROM pools WHERE game = ? AND period = ? ORDER BY starts_at DESC",
    kinds.map(({ game, period }) => [game, period]),
  );
  return rows.map((row) => row && { startsAt: Number(row.starts_at), endsAt: Number(row.ends_at) });
}

/** What is in each of these pools, at their positions. */
export async function itemsOfEach(sql: Sql, pools: readonly PoolKey[]): Promise<ItemAmount[][]> {
  if (pools.length === 0) return [];
  const among = (["game", "period", "startsAt"] as const).map((field) => [
    ...new Set(pools.map((pool) => pool[field])),
  ]);
  const [ofGames, ofPeriods, ofStarts] = among.map((values) => values.map(() => "?").join(", "));
  const found = await sql.query<PoolKind & ItemAmount & { starts_at: unknown }>(
    `SELECT game, period, starts_at, item, CAST(SUM(amount) AS CHAR) AS amount FROM pool_contributions
     WHERE game IN (${ofGames}) AND period IN (${ofPeriods}) AND starts_at IN (${ofStarts})
     GROUP BY game, period, starts_at, item ORDER BY item`,
    among.flat(),
  );
  return pools.map(({ game, period, startsAt }) =>
    found
      .filter((row) => row.game === game && row.period === period && Number(row.starts_at) === startsAt)
      .map(({ item, amount }) => ({ item, amount })),
  );
}
