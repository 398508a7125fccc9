import type { Span } from "@opentelemetry/api";
import type { Request, RequestHandler, Response } from "express";
import { inRoot, type SpanStart } from "../tracing.ts";

const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "OPTIONS"]);

/** Below which path each traced request has met routes: what it asked for may be in Express's own by then, or gone from there. */
const bases = new WeakMap<Request, string>();

/**
 * Begins a trace with each request, named by its route. A client's own `traceparent` is linked to, and decides nothing: else anybody could
 * have all of their requests recorded.
 */
export const traceRequests: RequestHandler = (request, response, next) => {
  const work = async (span: Span | undefined): Promise<void> => {
    if (span) bases.set(request, "");
    await untilClosed(response, next);
    if (span) describe(span, request, response);
  };
  void inRoot(spanOf(request), work, { by: [request.get("traceparent")] });
};

/** Stands before routes that are mounted at this path, for the name of their requests. */
export function below(path: string): RequestHandler {
  return (request, _response, next) => {
    if (bases.has(request)) bases.set(request, path);
    next();
  };
}

const spanOf =
  ({ method }: Request): (() => SpanStart) =>
  () => {
    const known = METHODS.has(method) ? method : "_OTHER";
    return { name: known, kind: "SERVER", attributes: { "http.request.method": known } };
  };

function untilClosed(response: Response, next: () => void): Promise<void> {
  return new Promise((resolve) => {
    response.once("close", resolve);
    next();
  });
}

/** The route as it is mounted, without what a path names. */
function describe(span: Span, request: Request, { statusCode }: Response): void {
  const path: unknown = request.route?.path;
  if (typeof path === "string") {
    // What is mounted at "/", or is there, adds nothing.
    const route = `${bases.get(request)}/${path}`.replace(/\/{2,}/g, "/").replace(/(?<=.)\/$/, "");
    span.updateName(`${request.method} ${route}`);
    span.setAttribute("http.route", route);
  }
  span.setAttribute("http.response.status_code", statusCode);
  if (statusCode >= 500) span.setAttribute("error.type", String(statusCode));
}
