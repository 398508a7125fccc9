import { Router } from "express";
import { z } from "zod";
import type { OperatorCall } from "../actors/admin/operatorCall.ts";
import { pauseRequest, reasonOnly } from "../actors/events/requests.ts";
import {
  parseTournamentDefinition,
  TOURNAMENT_BOUNDS,
  tournamentCorrection,
} from "../actors/tournaments/definition.ts";
import type { TournamentOperations } from "../actors/tournaments/TournamentOperations.ts";
import { idOf } from "../ids.ts";
import { validate, wholeNumber } from "../validate.ts";
import { requireRole } from "./auth/authenticate.ts";
import { BODY_LIMIT, jsonBody } from "./body.ts";
import { eventIdOf } from "./eventId.ts";
import { operatorCall } from "./idempotency.ts";

/** Tournaments as the endpoints need them. Each call but `list` throws `not_found` for an id that none has. */
export type TournamentDirectory = Pick<
  TournamentOperations,
  | ("list" | "get" | "standings" | "create" | "correct" | "pause" | "resume" | "hold" | "release" | "review")
  | ("start" | "end" | "extend" | "postpone" | "cancel" | "preview" | "endSeries")
>;

/** What a page of the standings may be: whoever recomputes a hash reads all of them. */
const MOST_ROWS = 1000;
const DEFAULT_ROWS = 100;

const nothing = z.strictObject({});
const extension = z.strictObject({ ms: z.int().min(TOURNAMENT_BOUNDS.shortestMs).max(TOURNAMENT_BOUNDS.longestMs) });
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

type Act = (tournaments: TournamentDirectory, id: string, body: unknown, call: OperatorCall) => Promise<object>;

/** An action that takes no parameters. */
function bare(act: (tournaments: TournamentDirectory, id: string, call: OperatorCall) => Promise<object>): Act {
  return (tournaments, id, body, call) => {
    validate(nothing, body);
    return act(tournaments, id, call);
  };
}

const ACTIONS = new Map<string, Act>([
  ["correct", (tournaments, id, body, call) => tournaments.correct(id, validate(tournamentCorrection, body), call)],
  ["start", bare((tournaments, id, call) => tournaments.start(id, call))],
  ["extend", (tournaments, id, body, call) => tournaments.extend(id, validate(extension, body).ms, call)],
  ["postpone", (tournaments, id, body, call) => tournaments.postpone(id, validate(extension, body).ms, call)],
  ["pause", (tournaments, id, body, call) => tournaments.pause(id, validate(pauseRequest, body), call)],
  ["resume", (tournaments, id, body, call) => tournaments.resume(id, validate(reasonOnly, body).reason, call)],
  ["hold", (tournaments, id, body, call) => tournaments.hold(id, validate(reasonOnly, body).reason, call)],
  ["release", (tournaments, id, body, call) => tournaments.release(id, validate(reasonOnly, body).reason, call)],
  ["end", bare((tournaments, id, call) => tournaments.end(id, call))],
  ["cancel", bare((tournaments, id, call) => tournaments.cancel(id, call))],
  ["preview", bare((tournaments, id) => tournaments.preview(id))],
  ["endSeries", bare((tournaments, id, call) => tournaments.endSeries(id, call))],
]);

/** `GET /`, `GET /:id` and `GET /:id/standings` for everybody; `POST /` and `POST /:id/…` for operators, one for each action. */
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
  router.get("/:id/review", requireRole("viewer"), async (request, response) => {
    response.json(await tournaments.review(eventIdOf(request)));
  });
  router.post("/", requireRole("operator"), jsonBody(BODY_LIMIT), async (request, response) => {
    const definition = parseTournamentDefinition(request.body);
    const { id } = await tournaments.create(definition, operatorCall(request));
    response.status(201).location(`/api/tournaments/${id}`).json({ id });
  });
  for (const [action, act] of ACTIONS) {
    router.post(`/:id/${action}`, requireRole("operator"), jsonBody(BODY_LIMIT), async (request, response) => {
      response.json(await act(tournaments, eventIdOf(request), request.body ?? {}, operatorCall(request)));
    });
  }
  return router;
}
