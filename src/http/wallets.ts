import { Router } from "express";
import { z } from "zod";
import { exchangeId } from "../actors/quests/checks.ts";
import type { WalletService } from "../actors/quests/WalletService.ts";
import { validate } from "../validate.ts";
import { callerOf, requireRole } from "./auth/authenticate.ts";
import { BODY_LIMIT, jsonBody } from "./body.ts";

/** Wallets and exchanges as the endpoints need them. */
export type WalletConnections = Pick<
  WalletService,
  "links" | "challenge" | "connect" | "disconnect" | "chooseExchange"
>;

const nothing = z.strictObject({}).optional();
const text = (most: number) =>
  z.string().regex(new RegExp(`^[\\x21-\\x7e]{1,${most}}$`), `must be 1 to ${most} printable ASCII characters`);
const proof = z.strictObject({ address: text(128), signature: text(512) });
const choice = z.strictObject({ exchange: exchangeId });

/**
 * The caller's own: `GET /wallet`, `POST /wallet/challenge`, `POST /wallet`, `POST /wallet/disconnect` and `POST /exchange`. All but the
 * challenge answer with `{wallet: {address, connectedAt} | null, exchange: string | null}`.
 */
export function myWalletRoutes(wallets: WalletConnections): Router {
  const router = Router();
  router.use(["/wallet", "/exchange"], requireRole("player"), jsonBody(BODY_LIMIT));
  router.get("/wallet", async (request, response) => {
    response.json(await wallets.links(callerOf(request).playerId));
  });
  router.post("/wallet/challenge", async (request, response) => {
    validate(nothing, request.body);
    response.json(await wallets.challenge(callerOf(request).playerId));
  });
  router.post("/wallet", async (request, response) => {
    const { playerId } = callerOf(request);
    const { address, signature } = validate(proof, request.body);
    await wallets.connect(playerId, address, signature);
    response.json(await wallets.links(playerId));
  });
  router.post("/wallet/disconnect", async (request, response) => {
    const { playerId } = callerOf(request);
    validate(nothing, request.body);
    await wallets.disconnect(playerId);
    response.json(await wallets.links(playerId));
  });
  router.post("/exchange", async (request, response) => {
    const { playerId } = callerOf(request);
    await wallets.chooseExchange(playerId, validate(choice, request.body).exchange);
    response.json(await wallets.links(playerId));
  });
  return router;
}
