import { MOST_PAST } from "../../actors/pools/requests.ts";
import { PERIOD_TYPES, type PeriodType, type PoolKind } from "../../entities/pools/Pool.ts";
import type { Sql } from "../../entities/sql.ts";
import { BATCH, byAge, type Purge, type RowKey, untilNone } from "../retention/purges.ts";

const DAY_MS = 86_400_000;
const LENGTH_DAYS: Record<PeriodType, number> = { daily: 1, weekly: 7 };

/** How long rankings of days and weeks stay after their end, in days; those of all time stay. */
export const RANKING_DAYS: Record<PeriodType, number> = { daily: 90, weekly: 730 };
/** How long it stays known who took part in a draw, in days after its week: so long can it be verified. */
export const CANDIDATE_DAYS = 730;
/** How long it stays known what went into a pool, in days after its end; longer for those that can still be read. */
export const CONTRIBUTION_DAYS = 730;

/** What is of no use any more of pools, rankings and draws. */
export const POOL_PURGES: readonly Purge[] = [
  byPeriod({
    name: "rankings",
    table: "rankings",
    key: ["game", "period", "starts_at", "player_id"],
    before: async (_sql, { period }, now) => begunBy(period, RANKING_DAYS[period], now),
  }),
  byPeriod({
    name: "rankingBlocks",
    table: "ranking_blocks",
    key: ["game", "period", "starts_at", "players_before"],
    before: async (_sql, { period }, now) => begunBy(period, RANKING_DAYS[period], now),
  }),
  byPeriod({
    name: "rankingPeriods",
    table: "ranking_periods",
    key: ["game", "period", "starts_at"],
    before: async (_sql, { period }, now) => begunBy(period, RANKING_DAYS[period], now),
  }),
  byAge({
    name: "drawCandidates",
    table: "draw_candidates",
    key: ["week_starts_at", "position"],
    age: "week_starts_at",
    days: CANDIDATE_DAYS + LENGTH_DAYS.weekly,
  }),
  byPeriod({
    name: "poolContributions",
    table: "pool_contributions",
    key: ["game", "period", "contribution_id"],
    before: async (sql, kind, now) =>
      Math.min(begunBy(kind.period, CONTRIBUTION_DAYS, now), await firstThatIsShown(sql, kind)),
  }),
];

interface ByPeriod {
  name: string;
  /** It has an index that begins with `game`, `period` and `starts_at`. */
  table: string;
  key: readonly string[];
  /** Of what began before this time, nothing is of use. */
  before(sql: Sql, kind: PoolKind, now: number): Promise<number>;
}

/** What is of a game's days or weeks of long ago. Goes from game to game, and reads nothing of those that stay. */
function byPeriod({ name, table, key, before }: ByPeriod): Purge {
  const nextGame = `SELECT MIN(game) AS game FROM ${table} WHERE game > ?`;
  const rowsOf = `SELECT ${key.join(", ")} FROM ${table} WHERE game = ? AND period = ? AND starts_at < ? LIMIT ${BATCH}`;
  return {
    name,
    table,
    async *batches(sql, now, signal) {
      for (let game = ""; ; ) {
        signal.throwIfAborted();
        const [next] = await sql.query<{ game: string | null }>(nextGame, [game]);
        if (next?.game == null) return;
        game = next.game;
        for (const period of PERIOD_TYPES) {
          const end = await before(sql, { game, period }, now);
          yield* untilNone(signal, () => sql.query<RowKey>(rowsOf, [game, period, end]));
        }
      }
    },
  };
}

/** Before which time a day or week began that has been over for so many days. */
function begunBy(period: PeriodType, days: number, now: number): number {
  return now - (days + LENGTH_DAYS[period]) * DAY_MS;
}

/** When the earliest pool began of those that can be read; 0 while all can be. What is earlier is finalised, for that happens in order. */
async function firstThatIsShown(sql: Sql, { game, period }: PoolKind): Promise<number> {
  const [row] = await sql.query<{ starts_at: unknown }>(
    `SELECT starts_at FROM pools WHERE game = ? AND period = ? AND finalised_at IS NOT NULL
     ORDER BY starts_at DESC LIMIT 1 OFFSET ${MOST_PAST - 1}`,
    [game, period],
  );
  return Number(row?.starts_at ?? 0);
}
