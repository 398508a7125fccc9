import { createHash, timingSafeEqual } from "node:crypto";
import { type RequestHandler, Router } from "express";
import type { Registry } from "prom-client";
import type { Clock } from "../clock.ts";
import { RingmasterError } from "../errors.ts";
import { bearerToken } from "./auth/authenticate.ts";
import { notCached } from "./headers.ts";
import type { Readiness } from "./readiness.ts";

/** Metrics are written out at most this often, in milliseconds: that takes longer than anything else that anybody may ask for. */
const RENDERED_EVERY_MS = 1000;

const ALIVE = JSON.stringify({ alive: true });

/** The metrics as text, written out at most once a second however many ask. */
export class MetricsPage {
  readonly #registry: Registry;
  readonly #clock: Clock;
  #page: Promise<string> | undefined;
  #renderedAt = Number.NEGATIVE_INFINITY;

  constructor(registry: Registry, clock: Clock) {
    this.#registry = registry;
    this.#clock = clock;
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  read(): Promise<string> {
    const now = this.#clock.monotonic();
    if (this.#page === undefined || now - this.#renderedAt >= RENDERED_EVERY_MS) {
      this.#renderedAt = now;
      this.#page = this.#registry.metrics();
    }
    return this.#page;
  }
}

/** `GET /healthz` and `/readyz`: for balancers and orchestrators, so outside all limits. */
export function healthRoutes(readiness: Readiness): Router {
  const router = Router();
  router.get("/healthz", notCached, (_request, response) => {
    response.setHeader("Content-Type", "application/json; charset=utf-8");
    response.end(ALIVE);
  });
  router.get("/readyz", notCached, (_request, response) => {
    const report = readiness.report();
    response.status(report.ready ? 200 : 503).json(report);
  });
  return router;
}

/** `GET /metrics`: for Prometheus, which sends `token` as a bearer where one is set; else `unauthenticated`. */
export function metricsRoutes(page: MetricsPage, token: string | undefined): Router {
  const router = Router();
  router.get("/metrics", notCached, async (request, response) => {
    if (token !== undefined && !isSame(bearerToken(request.headers.authorization) ?? "", token)) {
      throw new RingmasterError("unauthenticated");
    }
    response.setHeader("Content-Type", page.contentType);
    response.end(await page.read());
  });
  return router;
}

/** Takes as long whatever differs. */
function isSame(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

/** Refuses at once what would wait for the database in vain on a node that is cut off from it. */
export function refuseWhenCutOff(cutOff: () => boolean): RequestHandler {
  return (_request, _response, next) => {
    if (cutOff()) throw new RingmasterError("unavailable", "This node cannot reach the database; others may.");
    next();
  };
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
