import { type Request, Router } from "express";
import { questId } from "../actors/quests/definition.ts";
import type { QuestService } from "../actors/quests/QuestService.ts";
import { RingmasterError } from "../errors.ts";
import { callerOf, requireRole } from "./auth/authenticate.ts";

/** Quests as the endpoints need them. */
export type QuestDirectory = Pick<QuestService, "list" | "mine" | "start">;

/** `GET /`, for everybody. */
export function questRoutes(quests: QuestDirectory): Router {
  const router = Router();
  router.get("/", async (_request, response) => {
    response.json({ quests: await quests.list() });
  });
  return router;
}

/** The caller's own: `GET /`, and `POST /:id/start`. */
export function myQuestRoutes(quests: QuestDirectory): Router {
  const router = Router();
  router.use(requireRole("player"));
  router.get("/", async (request, response) => {
    response.json({ quests: await quests.mine(callerOf(request).playerId) });
  });
  router.post("/:id/start", async (request, response) => {
    response.json(await quests.start(callerOf(request).playerId, idOf(request)));
  });
  return router;
}

function idOf(request: Request): string {
  const id = questId.safeParse(request.params.id);
  if (!id.success) throw new RingmasterError("not_found");
  return id.data;
}
