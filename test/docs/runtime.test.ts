import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { RINGMASTER } from "../../src/app.config.ts";
import { readConfig } from "../../src/config.ts";
import { JobActor } from "../../src/schedulers/runtime/JobActor.ts";
import { TaskActor } from "../../src/schedulers/runtime/TaskActor.ts";
import { unused } from "../support/api.ts";
import { codesOf, documentOf, firstWordsOf, protocolPages } from "./documents.ts";

const DOMAINS = RINGMASTER.domains.map(({ definition }) => definition);
/** What operators read: a domain of its own page may say there what it has of these. */
const PAGES = [documentOf("docs/operations.md"), ...protocolPages()];

/** What stands in backquotes in the first cells of the tables that begin with `first`. */
const documentedAs = (first: string): string[] => PAGES.flatMap((page) => firstWordsOf(page, first)).sort();

const CONFIG = readConfig({}, RINGMASTER.domains);
const NODE = new Proxy(unused, { get: (_target, name) => (name === "config" ? CONFIG : unused) });

/** What a domain makes before anything is opened, and nothing calls. */
const made = <T>(make: ((node: never) => readonly T[]) | undefined): readonly T[] => make?.(NODE as never) ?? [];

describe("What runs on a node, and docs/operations.md,", () => {
  it("have the same jobs and tasks", () => {
    const jobs = DOMAINS.flatMap((definition) => made(definition.jobs).map(({ name }) => name));
    assert.ok(jobs.length > 5);
    assert.deepEqual(documentedAs("job"), jobs.sort());
  });

  it("have the same kinds of rows that retention removes", () => {
    const kinds = DOMAINS.flatMap(({ retention = [] }) => retention.map(({ name }) => name));
    assert.ok(kinds.length > 15);
    assert.deepEqual(documentedAs("kind"), kinds.sort());
  });

  it("have the same kinds of actors", () => {
    const types = DOMAINS.flatMap((definition) => made(definition.actors)).map((declared) =>
      typeof declared === "function" ? declared : declared.type,
    );
    const kinds = [...types, JobActor, TaskActor].map((type) => (type as unknown as { kind: string }).kind);
    assert.ok(kinds.length > 5);
    assert.deepEqual(documentedAs("actor"), kinds.sort());
  });

  it("have the same sources of awards", () => {
    const said = PAGES.flatMap((page) => [...page.matchAll(/`source` is one of ((?:`\w+`(?:, )?)+)/g)]);
    const sources = DOMAINS.flatMap(({ itemSources = [] }) => itemSources);
    assert.deepEqual(said.flatMap(([, list]) => codesOf(list!)).sort(), [...sources].sort());
  });

  it("have the same events that the lobby is told", () => {
    const folder = new URL("../../src/actors/", import.meta.url);
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".ts"));
    const source = files.map((path) => readFileSync(new URL(path, folder), "utf8")).join("\n");
    const written = [...source.matchAll(/notifyLobby\("(\w+)"/g)].map(([, type]) => type!);
    const news = DOMAINS.flatMap(({ lobby }) => lobby?.news ?? []);
    assert.ok(written.length > 2);
    assert.deepEqual(documentedAs("`type` of an event"), [...written, ...news].sort());
  });
});
