import type { Request } from "express";
import type { OperatorCall } from "../actors/admin/operatorCall.ts";
import { REQUEST_ID, REQUEST_ID_RULE } from "../ids.ts";
import { invalidPayload } from "../validate.ts";
import { callerOf } from "./auth/authenticate.ts";

/** The caller's own id of this request, if it has one: a repeat with the same key is the same request. */
export function idempotencyKey(request: Request): string | undefined {
  const key = request.get("Idempotency-Key");
  if (key !== undefined && !REQUEST_ID.test(key)) {
    throw invalidPayload([{ path: "Idempotency-Key", message: REQUEST_ID_RULE }]);
  }
  return key;
}

/**
 * Who asks, on a route behind `requireRole`, and under which id: the key is for the endpoint and what it names alone, so that the same key
 * sent elsewhere is another request.
 */
export function operatorCall(request: Request): OperatorCall {
  const { baseUrl, method, path } = request;
  const key = idempotencyKey(request);
  const requestId = key === undefined ? undefined : `${method} ${baseUrl}${path}\n${key}`;
  return { operatorId: callerOf(request).playerId, requestId };
}
