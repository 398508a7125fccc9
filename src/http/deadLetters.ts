import { Router } from "express";
import { z } from "zod";
import { type DeadLetterOffice, deadLetterId } from "../actors/admin/deadLetters.ts";
import { validate, wholeNumber } from "../validate.ts";
import { requireRole } from "./auth/authenticate.ts";
import { BODY_LIMIT, jsonBody } from "./body.ts";

const listed = z.strictObject({ limit: wholeNumber(1, 200).default(50) });

/** `GET /` for viewers; `POST /replay` and `POST /discard` for operators. */
export function deadLetterRoutes(letters: DeadLetterOffice): Router {
  const router = Router();
  router.get("/", requireRole("viewer"), async (request, response) => {
    response.json({ letters: await letters.list(validate(listed, request.query).limit) });
  });
  for (const verb of ["replay", "discard"] as const) {
    router.post(`/${verb}`, requireRole("operator"), jsonBody(BODY_LIMIT), async (request, response) => {
      const { from } = validate(deadLetterId, request.body);
      await letters[verb](from);
      response.json({ from });
    });
  }
  return router;
}
