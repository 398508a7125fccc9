import { Router } from "express";
import { z } from "zod";
import type { OperatorCall } from "../actors/admin/operatorCall.ts";
import { type PauseRequest, pauseRequest, reasonOnly } from "../actors/events/requests.ts";
import {
  HUNT_BOUNDS,
  type HuntCorrection,
  type HuntDefinition,
  huntCorrection,
  parseHuntDefinition,
} from "../actors/hunts/definition.ts";
import type { HuntDetails, HuntReview, HuntSummary } from "../actors/hunts/HuntOperations.ts";
import { validate } from "../validate.ts";
import { requireRole } from "./auth/authenticate.ts";
import { BODY_LIMIT, DEFINITION_LIMIT, jsonBody } from "./body.ts";
import { eventIdOf } from "./eventId.ts";
import { operatorCall } from "./idempotency.ts";

/** Hunts as the endpoints need them. Each call but `list` throws `not_found` for an id that no hunt has. */
export interface HuntDirectory {
  /** Those on and coming, soonest first, then those that are over, latest first; as many as are worth a look. */
  list(): Promise<HuntSummary[]>;
  get(id: string): Promise<HuntDetails>;
  create(definition: HuntDefinition, call: OperatorCall): Promise<{ id: string }>;
  /** Replaces the definition of one that is scheduled. Throws `wrong_phase` once it has begun. */
  correct(id: string, correction: HuntCorrection, call: OperatorCall): Promise<HuntSummary>;
  /** Ends the scheduled phase now. Throws `wrong_phase` in any other. */
  start(id: string, call: OperatorCall): Promise<HuntSummary>;
  /** Moves the start of one that is scheduled, and all that follows, by `ms`. Throws `wrong_phase` once it has begun. */
  postpone(id: string, ms: number, call: OperatorCall): Promise<HuntSummary>;
  /** Moves the end of the running phase, or of the solving of one that is scheduled, and all that follow, by `ms`. */
  extend(id: string, ms: number, call: OperatorCall): Promise<HuntSummary>;
  /** Nothing is given out or taken until it is resumed. Throws `wrong_phase` unless it is in discovery or solving. */
  pause(id: string, request: PauseRequest, call: OperatorCall): Promise<HuntSummary>;
  /** Throws `conflict` when it is not paused. */
  resume(id: string, reason: string, call: OperatorCall): Promise<HuntSummary>;
  /** Holds the result, once it is known, until it is released. Throws `wrong_phase` from the reveal on, `conflict` when it is to be held already. */
  hold(id: string, reason: string, call: OperatorCall): Promise<HuntSummary>;
  /** Has the result paid. Throws `conflict` when no review is to take place. */
  release(id: string, reason: string, call: OperatorCall): Promise<HuntSummary>;
  /** The result as it would be paid; nobody's before it is held. */
  review(id: string): Promise<HuntReview>;
  /** Ends the running phase now. */
  end(id: string, call: OperatorCall): Promise<HuntSummary>;
  cancel(id: string, call: OperatorCall): Promise<HuntSummary>;
}

const nothing = z.strictObject({});
const extension = z.strictObject({ ms: z.int().min(HUNT_BOUNDS.shortestMs).max(HUNT_BOUNDS.longestMs) });

type Act = (hunts: HuntDirectory, id: string, body: unknown, call: OperatorCall) => Promise<HuntSummary>;

/** An action that takes no parameters. */
function bare(act: (hunts: HuntDirectory, id: string, call: OperatorCall) => Promise<HuntSummary>): Act {
  return (hunts, id, body, call) => {
    validate(nothing, body);
    return act(hunts, id, call);
  };
}

const ACTIONS = new Map<string, Act>([
  ["start", bare((hunts, id, call) => hunts.start(id, call))],
  ["extend", (hunts, id, body, call) => hunts.extend(id, validate(extension, body).ms, call)],
  ["postpone", (hunts, id, body, call) => hunts.postpone(id, validate(extension, body).ms, call)],
  ["pause", (hunts, id, body, call) => hunts.pause(id, validate(pauseRequest, body), call)],
  ["resume", (hunts, id, body, call) => hunts.resume(id, validate(reasonOnly, body).reason, call)],
  ["hold", (hunts, id, body, call) => hunts.hold(id, validate(reasonOnly, body).reason, call)],
  ["release", (hunts, id, body, call) => hunts.release(id, validate(reasonOnly, body).reason, call)],
  ["end", bare((hunts, id, call) => hunts.end(id, call))],
  ["cancel", bare((hunts, id, call) => hunts.cancel(id, call))],
]);

/** `GET /`, `GET /:id` for everybody; `POST /` and `POST /:id/…` for operators, one for each action. */
export function huntRoutes(hunts: HuntDirectory): Router {
  const router = Router({ caseSensitive: true });
  router.get("/", async (_request, response) => {
    response.json({ hunts: await hunts.list() });
  });
  router.get("/:id", async (request, response) => {
    response.json(await hunts.get(eventIdOf(request)));
  });
  router.get("/:id/review", requireRole("viewer"), async (request, response) => {
    response.json(await hunts.review(eventIdOf(request)));
  });
  router.post("/", requireRole("operator"), jsonBody(DEFINITION_LIMIT), async (request, response) => {
    const { id } = await hunts.create(parseHuntDefinition(request.body), operatorCall(request));
    response.status(201).location(`/api/hunts/${id}`).json({ id });
  });
  router.post("/:id/correct", requireRole("operator"), jsonBody(DEFINITION_LIMIT), async (request, response) => {
    const correction = validate(huntCorrection, request.body);
    response.json(await hunts.correct(eventIdOf(request), correction, operatorCall(request)));
  });
  for (const [action, act] of ACTIONS) {
    router.post(`/:id/${action}`, requireRole("operator"), jsonBody(BODY_LIMIT), async (request, response) => {
      response.json(await act(hunts, eventIdOf(request), request.body ?? {}, operatorCall(request)));
    });
  }
  return router;
}
