import { z } from "zod";
import type { DrawQueries } from "../actors/pools/DrawQueries.ts";
import type { PoolQueries } from "../actors/pools/PoolQueries.ts";
import type { RankingQueries } from "../actors/pools/RankingQueries.ts";
import { past, poolPeriod, rankingPeriod } from "../actors/pools/requests.ts";
import { itemAmount } from "../actors/prizes/definition.ts";
import { gameId } from "../actors/tournaments/game.ts";
import { wholeNumber } from "../validate.ts";
import { amountOf, limitOf, none, time } from "./fields.ts";
import { operationsWith } from "./Operation.ts";

/** What these need of the node. */
export interface PoolOperationServices {
  pools: PoolQueries;
  rankings: RankingQueries;
  draws: DrawQueries;
}

const { command, query } = operationsWith<PoolOperationServices>();

const kind = z.strictObject({ game: gameId, period: poolPeriod });
const period = { startsAt: time, endsAt: time };
const scored = { playerId: z.string(), name: z.string(), score: z.number() };

/** What operators do to pools. */
export const POOL_COMMANDS = [
  command("contributeToPool", {
    description: "Puts so much of an item into the pool that is open now.",
    args: itemAmount.extend(kind.shape),
    answer: amountOf.extend({ contributionId: z.string(), game: z.string(), period: poolPeriod, ...period }),
    endpoint: { method: "POST", path: "/pools/:game/:period/contribute", status: 201 },
    run: ({ game, period: of, ...given }, { pools }, call) => pools.contribute({ game, period: of }, given, call),
  }),
];

/** What is asked of pools, rankings and draws. */
export const POOL_QUERIES = [
  query("pools", {
    description: "Every game's daily and weekly pool that is open, with who would win it now.",
    args: none,
    answer: z.array(kind.extend({ ...period, items: z.array(amountOf), leader: z.object(scored).nullable() })),
    run: (_args, { pools }) => pools.open(),
  }),
  query("poolHistory", {
    description: "A game's pools that are over, latest first.",
    args: past.extend(kind.shape),
    answer: z.array(
      z.object({
        ...period,
        finalisedAt: time,
        winner: z.object({ ...scored, wallet: z.string().nullable() }).nullable(),
        paid: z.array(amountOf),
        carriedOver: z.array(amountOf),
      }),
    ),
    run: ({ limit, ...of }, { pools }) => pools.finalised(of, limit),
  }),
  query("rankings", {
    description: "A part of a game's ranking of today, of this week, or of all time.",
    args: z.strictObject({
      game: gameId,
      period: rankingPeriod,
      limit: limitOf(1000, 100),
      offset: wholeNumber(0, 100_000_000).default(0),
    }),
    answer: z.object({
      ...period,
      rankedAt: time.nullable(),
      total: z.int(),
      rows: z.array(z.object({ rank: z.int(), ...scored, reachedAt: time, entries: z.int() })),
    }),
    run: ({ game, period: of, limit, offset }, { rankings }) =>
      rankings.page(game, of, { limit, offset, around: undefined }),
  }),
  query("draws", {
    description: "Weekly draws, latest first.",
    args: past,
    answer: z.array(
      z.object({
        weekStartsAt: time,
        weekEndsAt: time,
        drawnAt: time,
        seed: z.string(),
        candidates: z.int(),
        candidatesHash: z.string(),
        winner: z.object({ playerId: z.string(), name: z.string() }).nullable(),
      }),
    ),
    run: ({ limit }, { draws }) => draws.list(limit),
  }),
];
