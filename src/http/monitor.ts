import { matchMaker } from "@colyseus/core";
import { monitor } from "@colyseus/monitor";
import { type RequestHandler, Router } from "express";
import { RingmasterError } from "../errors.ts";
import { bearerToken } from "./auth/authenticate.ts";
import { mayActAs } from "./auth/identity.ts";
import type { Tokens } from "./auth/tokens.ts";
import { panelHeaders } from "./headers.ts";

/** The page, its files, the list of rooms and one room's state: all that only reads. */
const READS = /^\/(?:api|api\/room|assets\/[\w.-]+)?$/;

/**
 * Colyseus's monitor for operators, at `/monitor`. A browser asks for the token (any user name, the token as the password); a
 * script may send it as a bearer. A token in the URL would end up in histories and logs, so there is no such way.
 *
 * The panel's buttons call methods of rooms by name (`/api/room/call`), with any method and any arguments: that is refused, as
 * is everything else that is not known to read.
 */
export function monitorRoutes(tokens: Tokens): Router {
  const router = Router();
  router.use(panelHeaders, operatorsOnly(tokens), readsOnly);
  router.get("/api/room", knownRoom);
  router.use(monitor());
  return router;
}

/** The monitor itself answers 500 for a room that there is not (any more). */
const knownRoom: RequestHandler = async (request, _response, next) => {
  const { roomId } = request.query;
  const isKnown = typeof roomId === "string" && (await matchMaker.driver.has(roomId));
  if (!isKnown) throw new RingmasterError("not_found", "There is no such room (any more).");
  next();
};

const readsOnly: RequestHandler = (request, _response, next) => {
  // The raw path, as the monitor itself reads it: no decoding may lead it elsewhere.
  const path = request.url.split("?", 1)[0]!;
  if (request.method !== "GET" || !READS.test(path))
    throw new RingmasterError("forbidden", "The monitor only reads here.");
  next();
};

function operatorsOnly(tokens: Tokens): RequestHandler {
  return async (request, response, next) => {
    const header = request.headers.authorization;
    const token = bearerToken(header) ?? basicPassword(header);
    response.setHeader("WWW-Authenticate", 'Basic realm="Ringmaster: an operator\'s token is the password"');
    const identity = await tokens.verify(token ?? "");
    if (!mayActAs(identity.role, "operator")) throw new RingmasterError("forbidden");
    response.removeHeader("WWW-Authenticate");
    next();
  };
}

/** The password of `Authorization: Basic base64(name:password)`. */
function basicPassword(header: string | undefined): string | undefined {
  const encoded = header?.match(/^Basic +([\w+/=-]+) *$/i)?.[1];
  if (encoded === undefined) return undefined;
  const credentials = Buffer.from(encoded, "base64").toString();
  return credentials.slice(credentials.indexOf(":") + 1);
}
