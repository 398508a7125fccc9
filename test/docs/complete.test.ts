import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import express from "express";
import { type HttpServices, mountHttp } from "../../src/http/server.ts";
import { apiOf, unused } from "../support/api.ts";
import { codesOf, documentOf, endpointsOf, REPOSITORY, sectionOf, tableOf } from "./documents.ts";

const PROTOCOL = documentOf("docs/protocol.md");

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

/** What is written in `pattern`'s group in the files of a room. */
function writtenIn(room: string, pattern: RegExp): string[] {
  const folder = join(REPOSITORY, "src/rooms", room);
  const text = readdirSync(folder)
    .map((file) => readFileSync(join(folder, file), "utf8"))
    .join("\n");
  return [...new Set([...text.matchAll(pattern)].map(([, name]) => name!))].sort();
}

/** The first words in backquotes of the first cell of a room's table: `claim {}` is claim, and a cell may have several. */
function documentedOf(room: string, first: string): string[] {
  const rows = tableOf(sectionOf(PROTOCOL, `## Room \`${room}\``), first);
  return rows.flatMap(([cell]) => codesOf(cell!).map((code) => code.split(" ", 1)[0]!)).sort();
}

describe("docs/protocol.md leaves out", () => {
  it("no endpoint that there is, and has none that there is not", () => {
    const app = express();
    mountHttp(app, services);
    const routes = new Set(routesOf(app.router as never));
    assert.ok(routes.size > 40, "the routes were not found");
    // Pages' own: the player page under its root, and what the monitor's page asks for.
    routes.add("GET /monitor").delete("GET /monitor/api/room");
    assert.deepEqual(
      endpointsOf(PROTOCOL)
        .map(({ endpoint }) => endpoint)
        .filter((each) => each !== "GET /playground")
        .sort(),
      [...routes].sort(),
    );
  });

  for (const [room, folder] of [
    ["hunt", "hunts"],
    ["tournament", "tournaments"],
    ["lobby", "lobby"],
    ["admin", "admin"],
  ] as const) {
    it(`no request that ${room} takes`, () => {
      const taken = writtenIn(folder, /\.request\(\s*"(\w+)"/g);
      assert.ok(taken.length > 0);
      assert.deepEqual(documentedOf(room, "request"), taken);
    });

    it(`no message that ${room} sends`, () => {
      const sent = writtenIn(folder, /\b(?:send|broadcast|notify|sendTo)\(\s*(?:[\w.]+,\s*)?"(\w+)"/g);
      assert.ok(sent.length > 0);
      assert.deepEqual(documentedOf(room, "message"), sent);
    });
  }
});
