import { type Request, Router } from "express";
import type { z } from "zod";
import type { DrawQueries } from "../actors/pools/DrawQueries.ts";
import type { PoolQueries } from "../actors/pools/PoolQueries.ts";
import type { RankingQueries } from "../actors/pools/RankingQueries.ts";
import { moment, past, poolPeriod, range, rankingPeriod, rankingRange } from "../actors/pools/requests.ts";
import { gameId } from "../actors/tournaments/game.ts";
import type { PoolKind } from "../entities/pools/Pool.ts";
import { RingmasterError } from "../errors.ts";
import { validate } from "../validate.ts";

/** Pools, rankings and draws as the endpoints need them. Each call that names a game or a draw throws `not_found` when there is none. */
export type PoolDirectory = Pick<PoolQueries, "open" | "finalised">;
export type RankingDirectory = Pick<RankingQueries, "page">;
export type DrawDirectory = Pick<DrawQueries, "list" | "get">;

/** `GET /` and `GET /:game/:period`, for everybody. */
export function poolRoutes(pools: PoolDirectory): Router {
  const router = Router();
  router.get("/", async (_request, response) => {
    response.json({ pools: await pools.open() });
  });
  router.get("/:game/:period", async (request, response) => {
    const { limit } = validate(past, request.query);
    response.json({ pools: await pools.finalised(kindOf(request), limit) });
  });
  return router;
}

/** `GET /:game/:period` for everybody. */
export function rankingRoutes(rankings: RankingDirectory): Router {
  const router = Router();
  router.get("/:game/:period", async (request, response) => {
    const [game, period] = [named(gameId, request.params.game), named(rankingPeriod, request.params.period)];
    const { part, at } = validate(rankingRange, request.query);
    response.json(await rankings.page(game, period, part, at));
  });
  return router;
}

/** `GET /` and `GET /:weekStartsAt` for everybody. */
export function drawRoutes(draws: DrawDirectory): Router {
  const router = Router();
  router.get("/", async (request, response) => {
    response.json({ draws: await draws.list(validate(past, request.query).limit) });
  });
  router.get("/:weekStartsAt", async (request, response) => {
    const week = named(moment, request.params.weekStartsAt);
    response.json(await draws.get(week, validate(range, request.query)));
  });
  return router;
}

function kindOf({ params }: Request): PoolKind {
  return { game: named(gameId, params.game), period: named(poolPeriod, params.period) };
}

/** A part of the path that names what cannot be names nothing. */
function named<T extends z.ZodType>(schema: T, name: unknown): z.output<T> {
  const parsed = schema.safeParse(name);
  if (!parsed.success) throw new RingmasterError("not_found");
  return parsed.data;
}
