import { z } from "zod";
import type { DrawQueries } from "../../actors/pools/DrawQueries.ts";
import type { PoolQueries } from "../../actors/pools/PoolQueries.ts";
import type { RankingQueries } from "../../actors/pools/RankingQueries.ts";
import { past, poolPeriod, rankingPeriod } from "../../actors/pools/requests.ts";
import { itemAmount } from "../../actors/prizes/definition.ts";
import { gameId } from "../../actors/tournaments/game.ts";
import { validate } from "../../validate.ts";
import type { Verbs } from "./verbs.ts";

export interface PoolVerbServices {
  pools: PoolQueries;
  rankings: RankingQueries;
  draws: DrawQueries;
}

const kind = z.strictObject({ game: gameId, period: poolPeriod });
const contributed = itemAmount.extend(kind.shape);
const pastOf = past.extend(kind.shape);
const ranking = z.strictObject({
  game: gameId,
  period: rankingPeriod,
  limit: z.int().min(1).max(1000).default(100),
  offset: z.int().min(0).default(0),
});

export const POOL_VERBS: Verbs<PoolVerbServices> = {
  commands: {
    contributeToPool: (args, { pools }, call) => {
      const { game, period, ...given } = validate(contributed, args);
      return pools.contribute({ game, period }, given, call);
    },
  },
  queries: {
    pools: (_args, { pools }) => pools.open(),
    poolHistory: (args, { pools }) => {
      const { limit, ...of } = validate(pastOf, args);
      return pools.finalised(of, limit);
    },
    rankings: (args, { rankings }) => {
      const { game, period, limit, offset } = validate(ranking, args);
      return rankings.page(game, period, { limit, offset, around: undefined });
    },
    draws: (args, { draws }) => draws.list(validate(past, args).limit),
  },
};
