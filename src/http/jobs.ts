import { Router } from "express";
import { z } from "zod";
import { callOptions } from "../actors/admin/operatorCall.ts";
import type { JobRun, JobsStatus } from "../entities/jobs/Job.ts";
import { validate, wholeNumber } from "../validate.ts";
import { requireRole } from "./auth/authenticate.ts";
import { BODY_LIMIT, jsonBody } from "./body.ts";
import { operatorCall } from "./idempotency.ts";

/** Jobs as the endpoints need them. `trigger` and `history` throw `not_found` for a name that no job has. */
export interface JobDirectory {
  status(): Promise<JobsStatus>;
  /** Newest first. */
  history(limit: number, job?: string): Promise<JobRun[]>;
  trigger(name: string, requestId?: string): Promise<{ scheduledAt: number }>;
}

const nothing = z.strictObject({});
const historyQuery = z.strictObject({
  limit: wholeNumber(1, 200).default(20),
  job: z.string().min(1).max(32).optional(),
});

/** `GET /status`, `GET /history?limit&job` and `POST /trigger/:job`, all for operators. */
export function jobRoutes(jobs: JobDirectory): Router {
  const router = Router();
  router.use(requireRole("operator"));
  router.get("/status", async (_request, response) => {
    response.json(await jobs.status());
  });
  router.get("/history", async (request, response) => {
    const { limit, job } = validate(historyQuery, request.query);
    response.json({ runs: await jobs.history(limit, job) });
  });
  router.post("/trigger/:job", jsonBody(BODY_LIMIT), async (request, response) => {
    validate(nothing, request.body ?? {});
    const job = String(request.params.job);
    const { scheduledAt } = await jobs.trigger(job, callOptions(operatorCall(request)).requestId);
    response.status(202).json({ job, scheduledAt });
  });
  return router;
}
