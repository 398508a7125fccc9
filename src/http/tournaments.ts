import { Router } from "express";
import { z } from "zod";
import { TOURNAMENT_BOUNDS } from "../actors/tournaments/definition.ts";
import type { TournamentOperations } from "../actors/tournaments/TournamentOperations.ts";
import { idOf } from "../ids.ts";
import { validate, wholeNumber } from "../validate.ts";
import { eventIdOf } from "./eventId.ts";

/** Tournaments as everybody reads of them. Each call but `list` throws `not_found` for an id that none has. */
export type TournamentDirectory = Pick<TournamentOperations, "list" | "get" | "standings">;

/** What a page of the standings may be: whoever recomputes a hash reads all of them. */
const MOST_ROWS = 1000;
const DEFAULT_ROWS = 100;

const range = z
  .strictObject({
    limit: wholeNumber(1, MOST_ROWS).default(DEFAULT_ROWS),
    offset: wholeNumber(0, TOURNAMENT_BOUNDS.submissions).optional(),
    around: idOf("player").optional(),
  })
  .refine(({ offset, around }) => offset === undefined || around === undefined, {
    path: ["around"],
    error: "goes without offset",
  });

/** `GET /`, `GET /:id` and `GET /:id/standings`, for everybody. */
export function tournamentRoutes(tournaments: TournamentDirectory): Router {
  const router = Router({ caseSensitive: true });
  router.get("/", async (_request, response) => {
    response.json({ tournaments: await tournaments.list() });
  });
  router.get("/:id", async (request, response) => {
    response.json(await tournaments.get(eventIdOf(request)));
  });
  router.get("/:id/standings", async (request, response) => {
    response.json(await tournaments.standings(eventIdOf(request), validate(range, request.query)));
  });
  return router;
}
