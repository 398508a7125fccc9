import { DrawQueries } from "../actors/pools/DrawQueries.ts";
import { PoolQueries } from "../actors/pools/PoolQueries.ts";
import { RankingQueries } from "../actors/pools/RankingQueries.ts";
import { systemClock, systemRng } from "../clock.ts";
import { Pools20261121000800 } from "../entities/migrations/20261121000800-pools.ts";
import { OpenPools20261130050000 } from "../entities/migrations/20261130050000-open-pools.ts";
import { RankingBlocks20261130050400 } from "../entities/migrations/20261130050400-ranking-blocks.ts";
import { PrizeLedger } from "../entities/prizes/PrizeLedger.ts";
import { drawRoutes, poolRoutes, rankingRoutes } from "../http/pools.ts";
import { POOL_COMMANDS, POOL_QUERIES } from "../operations/pools.ts";
import { dailyPoolsJob } from "../schedulers/pools/dailyPoolsJob.ts";
import { POOL_PURGES } from "../schedulers/pools/poolPurges.ts";
import { rankingsJob } from "../schedulers/pools/rankingsJob.ts";
import { weeklyDrawJob } from "../schedulers/pools/weeklyDrawJob.ts";
import { weeklyPoolsJob } from "../schedulers/pools/weeklyPoolsJob.ts";
import { prizes } from "./prizes.ts";
import { defineDomain } from "./runtime/Domain.ts";
import { tournaments } from "./tournaments.ts";

/** What a game's scores of a day or a week win: pools, rankings and draws. */
export const pools = defineDomain({
  name: "pools",
  needs: { prizes, tournaments },
  migrations: [Pools20261121000800, OpenPools20261130050000, RankingBlocks20261130050400],
  itemSources: ["pool", "draw"],
  retention: POOL_PURGES,
  jobs: ({ config: { timezone }, database }) => {
    const ports = { database, ledger: new PrizeLedger(database, systemRng), clock: systemClock, timezone };
    return [dailyPoolsJob(ports), weeklyPoolsJob(ports), rankingsJob(ports), weeklyDrawJob(ports)];
  },
  open: ({ config: { timezone }, ...node }) => {
    const database = node.database.of("commits");
    const common = { database, clock: systemClock, rng: systemRng, timezone };
    return { pools: new PoolQueries(common), rankings: new RankingQueries(common), draws: new DrawQueries(database) };
  },
  routes: ({ pools, rankings, draws }) => ({
    "/pools": poolRoutes(pools),
    "/rankings": rankingRoutes(rankings),
    "/draws": drawRoutes(draws),
  }),
  commands: POOL_COMMANDS,
  queries: POOL_QUERIES,
});
