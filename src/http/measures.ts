import type { RequestHandler } from "express";
import type { Clock } from "../clock.ts";

/** How a request ended: by the class of its status, or its client did not wait for all of the answer. */
export type HttpOutcome = "2xx" | "3xx" | "4xx" | "5xx" | "aborted";

/** Tells how each request ended, and how many seconds after it came. */
export function measureRequests(
  clock: Clock,
  answered: (outcome: HttpOutcome, seconds: number) => void,
): RequestHandler {
  return (_request, response, next) => {
    const cameAt = clock.monotonic();
    response.once("close", () => {
      const { statusCode, writableFinished } = response;
      const status = `${Math.min(5, Math.floor(statusCode / 100))}xx` as HttpOutcome;
      answered(writableFinished ? status : "aborted", (clock.monotonic() - cameAt) / 1000);
    });
    next();
  };
}
