import express, { type Request, type RequestHandler } from "express";
import { RingmasterError } from "../errors.ts";

/** Every body fits in this many times over, but what says otherwise. In bytes. */
export const BODY_LIMIT = 64 * 1024;

/**
 * Reads a body of JSON into `request.body`; a request without a body has `undefined` there. Throws `payload_too_large` beyond
 * `limit` bytes, and `invalid_payload` for what is not JSON or is compressed.
 */
export function jsonBody(limit: number): RequestHandler {
  const parse = express.json({ limit, inflate: false, strict: false, type: () => true });
  return (request, response, next) => {
    // Before a byte of it is read.
    if (hasBody(request) && !request.is(["application/json", "+json"])) {
      throw new RingmasterError("invalid_payload", "The body must be JSON, and its Content-Type application/json.");
    }
    parse(request, response, next);
  };
}

function hasBody({ headers }: Request): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}
