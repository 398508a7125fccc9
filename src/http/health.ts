import { type RequestHandler, Router } from "express";
import type { Registry } from "prom-client";
import { RingmasterError } from "../errors.ts";
import { notCached } from "./headers.ts";
import type { Readiness } from "./readiness.ts";

/** `GET /healthz`, `/readyz` and `/metrics`: for balancers, orchestrators and Prometheus, so outside all limits. */
export function healthRoutes(readiness: Readiness, registry: Registry): Router {
  const router = Router();
  router.get("/healthz", notCached, (_request, response) => {
    response.json({ alive: true });
  });
  router.get("/readyz", notCached, (_request, response) => {
    const report = readiness.report();
    response.status(report.ready ? 200 : 503).json(report);
  });
  router.get("/metrics", notCached, async (_request, response) => {
    response.setHeader("Content-Type", registry.contentType);
    response.end(await registry.metrics());
  });
  return router;
}

/** Turns new work away from a node that drains (reading goes on), and lets go of connections, so that clients look elsewhere. */
export function refuseWhenDraining(readiness: Readiness): RequestHandler {
  return (request, response, next) => {
    if (!readiness.draining) {
      next();
      return;
    }
    response.setHeader("Connection", "close");
    if (request.method !== "GET" && request.method !== "HEAD") throw new RingmasterError("draining");
    next();
  };
}
