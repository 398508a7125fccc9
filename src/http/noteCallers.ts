import type { RequestHandler } from "express";
import { identityOf } from "./auth/authenticate.ts";
import type { Identity } from "./auth/identity.ts";

/** An authenticated request is activity: it begins its caller's session, or keeps it going. */
export function noteCallers(noteCaller: (caller: Identity) => void): RequestHandler {
  return (request, _response, next) => {
    const caller = identityOf(request);
    if (caller !== undefined) noteCaller(caller);
    next();
  };
}
