import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const SOURCE = fileURLToPath(new URL("../../src", import.meta.url));
const FILES = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).map((path) => path.replaceAll("\\", "/"));
const MODULES = FILES.filter((path) => path.endsWith(".ts"));

/** What anybody may import. */
const COMMON = ["clock.ts", "config.ts", "errors.ts", "FairQueue.ts", "ids.ts", "text.ts", "tracing.ts", "validate.ts"];

/** What the files of a folder may import beside their own folder and the common ones; the longest prefix counts. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  "actors/": ["stores/", "entities/", "games/"],
  "actors/runtime/": ["stores/feeds/", "stores/runtime/", "entities/"],
  "entities/": [],
  "edge/": [],
  "games/": [],
  "http/": ["edge/", "operations/", "actors/", "stores/", "entities/", "telemetry/"],
  "operations/": ["edge/", "actors/", "stores/", "entities/", "http/auth/", "telemetry/"],
  "rooms/": ["edge/", "operations/", "actors/", "stores/", "entities/", "http/auth/", "telemetry/"],
  "schedulers/": ["actors/", "stores/", "entities/"],
  "schedulers/runtime/": ["actors/runtime/", "entities/"],
  "stores/": ["entities/"],
  "stores/runtime/": ["entities/sql.ts", "entities/failures.ts"],
  "telemetry/": [],
};

/** Everything is put together here. */
const ROOTS = ["index.ts", "app.config.ts", "app.ts", "backplane.ts", "lifecycle.ts", "parts/", "domains/"];

function importsOf(path: string): string[] {
  const text = readFileSync(join(SOURCE, path), "utf8");
  const specifiers = [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"(\.[^"]+)"/g)].map(([, specifier]) => specifier!);
  return specifiers.map((specifier) => relative(SOURCE, resolve(SOURCE, dirname(path), specifier)));
}

function isRoot(path: string): boolean {
  return ROOTS.some((root) => path.startsWith(root));
}

function folderOf(path: string): string | undefined {
  const folders = Object.keys(MAY_IMPORT).filter((folder) => path.startsWith(folder));
  return folders.sort((a, b) => b.length - a.length)[0];
}

describe("Imports", () => {
  it("run one way", () => {
    const wrong: string[] = [];
    for (const path of MODULES.filter((module) => !isRoot(module) && !COMMON.includes(module))) {
      const folder = folderOf(path);
      assert.ok(folder !== undefined, `src/${path} is in a folder that the architecture does not know`);
      const allowed = [folder, ...MAY_IMPORT[folder]!, ...COMMON];
      for (const imported of importsOf(path)) {
        if (!allowed.some((prefix) => imported.startsWith(prefix))) wrong.push(`src/${path} imports src/${imported}`);
      }
    }
    assert.deepEqual(wrong, []);
  });

  it("of what everybody imports lead to nothing else", () => {
    for (const path of COMMON) {
      for (const imported of importsOf(path))
        assert.ok(COMMON.includes(imported), `src/${path} imports src/${imported}`);
    }
  });
});

describe("Every Lua script", () => {
  for (const path of FILES.filter((each) => each.endsWith(".lua"))) {
    it(`says what it takes and returns, and why it is one: ${path}`, () => {
      const [head = ""] = /^(?:--\[\[[\s\S]*?\]\]|(?:--.*\n)+)/.exec(readFileSync(join(SOURCE, path), "utf8")) ?? [];
      for (const word of [/\bKEYS\b/, /\bARGV\b/, /\breturns\b/i, /\batomic\b/i]) assert.match(head, word);
    });
  }
});
