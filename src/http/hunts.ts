import { Router } from "express";
import type { HuntDetails, HuntSummary } from "../actors/hunts/HuntOperations.ts";
import { eventIdOf } from "./eventId.ts";

/** Hunts as everybody reads of them. */
export interface HuntDirectory {
  /** Those on and coming, soonest first, then those that are over, latest first; as many as are worth a look. */
  list(): Promise<HuntSummary[]>;
  /** Throws `not_found` for an id that no hunt has. */
  get(id: string): Promise<HuntDetails>;
}

/** `GET /` and `GET /:id`, for everybody. */
export function huntRoutes(hunts: HuntDirectory): Router {
  const router = Router({ caseSensitive: true });
  router.get("/", async (_request, response) => {
    response.json({ hunts: await hunts.list() });
  });
  router.get("/:id", async (request, response) => {
    response.json(await hunts.get(eventIdOf(request)));
  });
  return router;
}
