import { type RequestHandler, Router } from "express";
import type { SessionService } from "../stores/sessions/SessionService.ts";
import { callerOf, identityOf, requireRole } from "./auth/authenticate.ts";

/** What the edge needs of sessions; `SessionService` has it. */
export type CallerSessions = Pick<SessionService, "noteCaller" | "sessionsOf">;

/** An authenticated request is activity: it begins its caller's session, or keeps it going. */
export function noteCallers(sessions: CallerSessions): RequestHandler {
  return (request, _response, next) => {
    const caller = identityOf(request);
    if (caller !== undefined) sessions.noteCaller(caller);
    next();
  };
}

/** `GET /sessions`: the caller's own, the one that goes on and those that are over. */
export function mySessionRoutes(sessions: CallerSessions): Router {
  const router = Router();
  router.get("/sessions", requireRole("player"), async (request, response) => {
    response.json(await sessions.sessionsOf(callerOf(request).playerId));
  });
  return router;
}
