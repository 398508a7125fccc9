import { databaseTimeIn } from "../databaseTime.ts";
import type { ItemAmount } from "../prizes/PrizeLedger.ts";
import type { Sql } from "../sql.ts";
import { firstOfEach } from "./firstOfEach.ts";
import type { Period, PoolKey, PoolKind } from "./Pool.ts";

type PeriodRow = Record<"starts_at" | "ends_at", unknown>;

/** A later one is of no concern: a clock that was ahead has made it, and its time will come. */
const latestAt = (now: string): string =>
  `starts_at, ends_at FROM pools WHERE game = ? AND period = ? AND starts_at <= ${now} ORDER BY starts_at DESC`;

/** The latest pool of each kind that has begun and of which there is anything, finalised or not, at the positions of the kinds. */
export async function latestPools(
  sql: Sql,
  kinds: readonly PoolKind[],
  now: number,
): Promise<Array<Period | undefined>> {
  const parameters = kinds.map(({ game, period }) => [game, period, now]);
  const rows = await firstOfEach<PeriodRow>(sql, latestAt("?"), parameters);
  return rows.map((row) => row && periodOf(row));
}

/** The same of one kind by the database's own clock, together with what that shows, in epoch milliseconds. */
export async function latestPool(
  sql: Sql,
  { game, period }: PoolKind,
): Promise<{ latest: Period | undefined; now: number }> {
  const now = databaseTimeIn(sql.dialect);
  const [row] = await sql.query<PeriodRow & { told: unknown }>(
    `SELECT told, starts_at, ends_at FROM (SELECT ${now} AS told) clock
     LEFT JOIN (SELECT ${latestAt(now)} LIMIT 1) latest ON 1 = 1`,
    [game, period],
  );
  return { latest: row!.starts_at === null ? undefined : periodOf(row!), now: Number(row!.told) };
}

function periodOf({ starts_at, ends_at }: PeriodRow): Period {
  return { startsAt: Number(starts_at), endsAt: Number(ends_at) };
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
