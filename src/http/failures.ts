import type { ErrorRequestHandler, NextFunction, Request, Response } from "express";
import { databaseError } from "../entities/failures.ts";
import { RingmasterError, toRingmasterError, type WireError } from "../errors.ts";
import type { Logger } from "../telemetry/log.ts";
import type { RetryAfter } from "./limits.ts";
import { requestIdOf } from "./requestIds.ts";

/** What Express and its parsers throw: an error with an HTTP status, and sometimes a type. */
interface HttpFault extends Error {
  status: number;
  type?: string;
}

/** For a path that no route answers to. */
export function unknownRoute(): never {
  throw new RingmasterError("not_found", "There is no such endpoint.");
}

/** The body of a failed request. The SDK hands on nothing but the status and the `message` at its top. */
export function failureBody(error: WireError): { error: WireError; message: string } {
  return { error, message: `${error.code}: ${error.message}` };
}

/**
 * Answers a failed request with its code's status and `failureBody` as JSON. What is not an error of ours becomes `internal`
 * and is logged, as is everything else that is our own fault.
 */
export function answerFailures(log: Logger): ErrorRequestHandler {
  return (thrown: unknown, request: Request, response: Response, next: NextFunction) => {
    const error = toFailure(thrown);
    if (error.status === 500) {
      log.error(
        { err: thrown, requestId: requestIdOf(request), method: request.method, path: request.path },
        "Request failed",
      );
    }
    if (response.headersSent) {
      // Too late for another answer: Express ends the connection.
      next(thrown);
      return;
    }
    if (error.code === "rate_limited") {
      const { retryAfterMs = 1000 } = (error.details ?? {}) as Partial<RetryAfter>;
      response.setHeader("Retry-After", Math.ceil(retryAfterMs / 1000));
    }
    response.status(error.status).json(failureBody(error.toWire()));
  };
}

function toFailure(thrown: unknown): RingmasterError {
  if (!isClientsFault(thrown)) return toRingmasterError(databaseError(thrown));
  const options = { cause: thrown };
  if (thrown.type === "entity.parse.failed") {
    return new RingmasterError("invalid_payload", "The body is not valid JSON.", undefined, options);
  }
  switch (thrown.status) {
    case 413:
      return new RingmasterError("payload_too_large", undefined, undefined, options);
    case 415:
      return new RingmasterError("invalid_payload", "Send the body uncompressed and in UTF-8.", undefined, options);
    case 403:
    case 404:
      return new RingmasterError("not_found", undefined, undefined, options);
    default:
      return new RingmasterError("invalid_payload", "The request is malformed.", undefined, options);
  }
}

function isClientsFault(thrown: unknown): thrown is HttpFault {
  return (
    thrown instanceof Error &&
    !(thrown instanceof RingmasterError) &&
    "status" in thrown &&
    typeof thrown.status === "number" &&
    thrown.status >= 400 &&
    thrown.status < 500
  );
}
