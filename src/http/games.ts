import { Router } from "express";
import type { GameQueries } from "../actors/tournaments/GameQueries.ts";
import { parseGameDefinition } from "../actors/tournaments/game.ts";
import { requireRole } from "./auth/authenticate.ts";
import { BODY_LIMIT, jsonBody } from "./body.ts";

/** Games as the endpoints need them. */
export type GameDirectory = Pick<GameQueries, "list" | "create">;

/** `GET /` for everybody; `POST /` for operators. */
export function gameRoutes(games: GameDirectory): Router {
  const router = Router();
  router.get("/", async (_request, response) => {
    response.json({ games: await games.list() });
  });
  router.post("/", requireRole("operator"), jsonBody(BODY_LIMIT), async (request, response) => {
    response.status(201).json(await games.create(parseGameDefinition(request.body)));
  });
  return router;
}
