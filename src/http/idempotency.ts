import type { Request } from "express";
import { REQUEST_ID, REQUEST_ID_RULE } from "../ids.ts";
import { invalidPayload } from "../validate.ts";

/** The caller's own id of this request, if it has one: a repeat with the same key is the same request. */
export function idempotencyKey(request: Request): string | undefined {
  const key = request.get("Idempotency-Key");
  if (key !== undefined && !REQUEST_ID.test(key)) {
    throw invalidPayload([{ path: "Idempotency-Key", message: REQUEST_ID_RULE }]);
  }
  return key;
}
