import { Router } from "express";
import type { PopupActor } from "../actors/popups/PopupActor.ts";

/** The popup actor, as everybody may ask it. */
export type PopupDoor = Pick<PopupActor, "current">;

/** `GET /global` for everybody: the open window, or null. */
export function popupRoutes(popup: PopupDoor): Router {
  const router = Router({ caseSensitive: true });
  router.get("/global", async (_request, response) => {
    response.json({ window: await popup.current() });
  });
  return router;
}
