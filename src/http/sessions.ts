import { Router } from "express";
import type { SessionService } from "../stores/sessions/SessionService.ts";
import { callerOf, requireRole } from "./auth/authenticate.ts";

/** `GET /sessions`: the caller's own, the one that goes on and those that are over. */
export function mySessionRoutes(sessions: Pick<SessionService, "sessionsOf">): Router {
  const router = Router();
  router.get("/sessions", requireRole("player"), async (request, response) => {
    response.json(await sessions.sessionsOf(callerOf(request).playerId));
  });
  return router;
}
