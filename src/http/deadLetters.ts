import { Router } from "express";
import { z } from "zod";
import { type DeadLetterOffice, deadLetterId, failingTimer, type TimerOffice } from "../actors/admin/deadLetters.ts";
import { validate, wholeNumber } from "../validate.ts";
import { requireRole } from "./auth/authenticate.ts";
import { BODY_LIMIT, jsonBody } from "./body.ts";

const listed = z.strictObject({ limit: wholeNumber(1, 200).default(50) });

/** `GET /` for viewers; `POST /replay`, `/discard` and `/retry-timer` for operators. */
export function deadLetterRoutes(letters: DeadLetterOffice, timers: TimerOffice): Router {
  const router = Router();
  router.get("/", requireRole("viewer"), async (request, response) => {
    const { limit } = validate(listed, request.query);
    response.json({ letters: await letters.list(limit), timers: await timers.list(limit) });
  });
  for (const verb of ["replay", "discard"] as const) {
    router.post(`/${verb}`, requireRole("operator"), jsonBody(BODY_LIMIT), async (request, response) => {
      const { from } = validate(deadLetterId, request.body);
      await letters[verb](from);
      response.json({ from });
    });
  }
  router.post("/retry-timer", requireRole("operator"), jsonBody(BODY_LIMIT), async (request, response) => {
    const named = validate(failingTimer, request.body);
    await timers.retry(named.actor, named.timer);
    response.json(named);
  });
  return router;
}
