import assert from "node:assert/strict";
import express from "express";
import { type HttpServices, mountHttp } from "../../src/http/server.ts";
import { apiOf, unused } from "../support/api.ts";
import { endpointsOf, protocolPages } from "./documents.ts";

/** A router as it is since version 2.3 of `router`, which the types of Express do not know yet. */
interface Listing {
  listRoutes(): { path: string; methods?: string[]; router?: Listing }[];
}

/** `GET /api/hunts/:id` of each route that `router` has, in `from` and below. */
function routesOf(router: Listing, from = ""): string[] {
  return router.listRoutes().flatMap(({ path, methods, router: mounted }) => {
    const whole = `${from}${path}`.replace(/(?<=.)\/$/, "");
    if (mounted) return routesOf(mounted, whole === "/" ? "" : whole);
    return (methods ?? []).filter((method) => method !== "HEAD").map((method) => `${method} ${whole}`);
  });
}

const services = new Proxy(
  {
    production: false,
    hasMetricsPort: false,
    trustProxy: false,
    pageFolder: "web",
    api: apiOf(),
    routes: [],
  },
  {
    get: (target: Record<string, unknown>, name: string) => (name in target ? target[name] : unused),
  },
) as unknown as HttpServices;

describe("docs/protocol.md leaves out", () => {
  it("no endpoint that there is, and has none that there is not", () => {
    const app = express();
    mountHttp(app, services);
    const routes = new Set(routesOf(app.router as never));
    assert.ok(routes.size > 40, "the routes were not found");
    // Pages' own: the player page under its root, and what the monitor's page asks for.
    routes.add("GET /monitor").delete("GET /monitor/api/room");
    assert.deepEqual(
      protocolPages()
        .flatMap(endpointsOf)
        .map(({ endpoint }) => endpoint)
        .filter((each) => each !== "GET /playground")
        .sort(),
      [...routes].sort(),
    );
  });
});
