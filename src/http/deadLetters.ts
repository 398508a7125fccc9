import { Router } from "express";
import { z } from "zod";
import {
  type DeadLetterOperations,
  type DeadTaskOperations,
  deadLetterId,
  deadTask,
  failingTimer,
  type TimerOperations,
} from "../actors/admin/deadLetters.ts";
import { validate, wholeNumber } from "../validate.ts";
import { requireRole } from "./auth/authenticate.ts";
import { BODY_LIMIT, jsonBody } from "./body.ts";

const listed = z.strictObject({ limit: wholeNumber(1, 200).default(50) });

/** What cannot go on by itself. */
export interface AllDeadLetterOperations {
  letters: DeadLetterOperations;
  timers: TimerOperations;
  tasks: DeadTaskOperations;
}

/** `GET /` for viewers; `POST /replay`, `/discard`, `/retry-timer`, `/replay-task` and `/discard-task` for operators. */
export function deadLetterRoutes({ letters, timers, tasks }: AllDeadLetterOperations): Router {
  const router = Router();
  router.get("/", requireRole("viewer"), async (request, response) => {
    const { limit } = validate(listed, request.query);
    const [dead, failing, deadTasks] = await Promise.all([letters.list(limit), timers.list(limit), tasks.list(limit)]);
    response.json({ letters: dead, timers: failing, tasks: deadTasks });
  });
  for (const verb of ["replay", "discard"] as const) {
    router.post(`/${verb}`, requireRole("operator"), jsonBody(BODY_LIMIT), async (request, response) => {
      const { from } = validate(deadLetterId, request.body);
      await letters[verb](from);
      response.json({ from });
    });
  }
  for (const verb of ["replay", "discard"] as const) {
    router.post(`/${verb}-task`, requireRole("operator"), jsonBody(BODY_LIMIT), async (request, response) => {
      const { name, key } = validate(deadTask, request.body);
      await tasks[verb](name, key);
      response.json({ name, key });
    });
  }
  router.post("/retry-timer", requireRole("operator"), jsonBody(BODY_LIMIT), async (request, response) => {
    const named = validate(failingTimer, request.body);
    await timers.retry(named.actor, named.timer);
    response.json(named);
  });
  return router;
}
