import { Router } from "express";
import type { ItemAmount } from "../entities/prizes/PrizeLedger.ts";
import { callerOf, requireRole } from "./auth/authenticate.ts";

/** What the endpoints of the caller's own things need. */
export interface MyThings {
  inventory(playerId: string): Promise<ItemAmount[]>;
}

/** `GET /inventory`: the caller's own. Amounts are decimal strings of minor units. */
export function myRoutes(things: MyThings): Router {
  const router = Router();
  router.use(requireRole("player"));
  router.get("/inventory", async (request, response) => {
    response.json({ items: await things.inventory(callerOf(request).playerId) });
  });
  return router;
}
