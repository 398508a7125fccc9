import { Router } from "express";
import type { GameQueries } from "../actors/tournaments/GameQueries.ts";

/** Games as everybody reads of them. */
export type GameDirectory = Pick<GameQueries, "list">;

/** `GET /`, for everybody. */
export function gameRoutes(games: GameDirectory): Router {
  const router = Router();
  router.get("/", async (_request, response) => {
    response.json({ games: await games.list() });
  });
  return router;
}
