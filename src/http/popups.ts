import { Router } from "express";
import type { PopupActor } from "../actors/popups/PopupActor.ts";
import { requireRole } from "./auth/authenticate.ts";

/** The popup actor, as the endpoints need it. */
export type PopupDoor = Pick<PopupActor, "current" | "openNow" | "closeNow">;

/** `POST /global/open` and `POST /global/close`, for operators; `GET /global` for everybody: the open window, or null. */
export function popupRoutes(popup: PopupDoor): Router {
  const router = Router({ caseSensitive: true });
  router.get("/global", async (_request, response) => {
    response.json({ window: await popup.current() });
  });
  router.post("/global/open", requireRole("operator"), async (_request, response) => {
    response.json({ window: await popup.openNow() });
  });
  router.post("/global/close", requireRole("operator"), async (_request, response) => {
    response.json(await popup.closeNow());
  });
  return router;
}
