import type { NextFunction, Request, RequestHandler, Response } from "express";
import { RingmasterError } from "../../errors.ts";
import { type Identity, mayActAs, type Role } from "./identity.ts";
import type { Tokens } from "./tokens.ts";

const identities = new WeakMap<Request, Identity>();

/** Who sent this request, as far as `identify` has seen it; `undefined` for somebody without a token. */
export function identityOf(request: Request): Identity | undefined {
  return identities.get(request);
}

/** Who sent this request, on a route behind `requireRole`. */
export function callerOf(request: Request): Identity {
  const identity = identities.get(request);
  if (identity === undefined) throw new RingmasterError("unauthenticated");
  return identity;
}

/**
 * Reads the bearer token. Without one the request goes on as nobody's; a token that is forged or expired is refused even
 * where none is needed, so that a client learns of it at once.
 */
export function identify(tokens: Tokens): RequestHandler {
  return async (request: Request, _response: Response, next: NextFunction) => {
    const token = bearerToken(request.headers.authorization);
    if (token !== undefined) identities.set(request, await tokens.verify(token));
    next();
  };
}

/** Lets only callers through who have `role` or one above it: `unauthenticated` without a token, else `forbidden`. */
export function requireRole(role: Role): RequestHandler {
  return (request: Request, _response: Response, next: NextFunction) => {
    if (!mayActAs(callerOf(request).role, role)) throw new RingmasterError("forbidden");
    next();
  };
}

/** What follows `Bearer` in an authorization header, be it a token or not; any other scheme is none of ours. */
export function bearerToken(header: string | undefined): string | undefined {
  const bearer = header?.match(/^Bearer(?:\s+(.*))?$/i);
  return bearer ? (bearer[1] ?? "").trim() : undefined;
}
