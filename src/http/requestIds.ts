import type { Request, RequestHandler } from "express";
import type { Rng } from "../clock.ts";

const HEADER = "X-Request-Id";
const ACCEPTED = /^[\w-]{1,64}$/;

const ids = new WeakMap<Request, string>();

/** The id under which the log speaks of this request; the answer carries it too. */
export function requestIdOf(request: Request): string | undefined {
  return ids.get(request);
}

/** Names each request: by what a proxy called it (`X-Request-Id` of up to 64 word characters), else by a random id. */
export function requestIds(rng: Rng): RequestHandler {
  return (request, response, next) => {
    const given = request.get(HEADER);
    const id = given !== undefined && ACCEPTED.test(given) ? given : rng.id();
    ids.set(request, id);
    response.setHeader(HEADER, id);
    next();
  };
}
