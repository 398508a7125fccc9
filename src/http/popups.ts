import { Router } from "express";
import type { PopupActor } from "../actors/popups/PopupActor.ts";
import { RingmasterError } from "../errors.ts";
import { requireRole } from "./auth/authenticate.ts";

/** The popup actor, as the endpoints need it. */
export type PopupDoor = Pick<PopupActor, "current" | "openNow" | "closeNow">;

/** `POST /global/open` and `POST /global/close`, for operators; `GET /global` for everybody: the open window, or null. */
export function popupRoutes(popup: PopupDoor): Router {
  const router = Router();
  router.get("/global", async (_request, response) => {
    response.json({ window: await popup.current() });
  });
  router.post("/global/:action", requireRole("operator"), async (request, response) => {
    if (request.params.action === "open") response.json({ window: await popup.openNow() });
    else if (request.params.action === "close") response.json(await popup.closeNow());
    else throw new RingmasterError("not_found", "Popups know open and close.");
  });
  return router;
}
