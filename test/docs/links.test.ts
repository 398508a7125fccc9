import assert from "node:assert/strict";
import { existsSync, globSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { allDocuments, documentOf, REPOSITORY } from "./documents.ts";

/** The anchors of a document's headings, as Markdown's common readers make them. */
function anchorsOf(path: string): string[] {
  const headings = documentOf(path).matchAll(/^#+ (.+)$/gm);
  return [...headings].map(([, title]) =>
    title!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}

/** What the domain that CONTRIBUTING.md makes up has in its names. */
const MADE_UP = "poll";

describe("The documents", () => {
  for (const path of allDocuments()) {
    it(`lead where they say: ${path}`, () => {
      const targets = [...documentOf(path).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!);
      for (const target of targets.filter((each) => !/^[a-z]+:/.test(each))) {
        const [file = "", anchor] = target.split("#");
        const led = file === "" ? path : normalize(join(dirname(path), file));
        assert.ok(existsSync(join(REPOSITORY, led)), target);
        if (anchor !== undefined) assert.ok(anchorsOf(led).includes(anchor), target);
      }
    });
  }

  it("name files of the repository that are there", () => {
    for (const path of allDocuments()) {
      const named = documentOf(path).matchAll(/`((?:src|test|scripts|docs|web|loadtest|bench)\/[\w./-]+\.\w+)`/g);
      for (const [, file] of named) {
        assert.ok(file!.includes(MADE_UP) || existsSync(join(REPOSITORY, file!)), `${path}: ${file}`);
      }
    }
  });

  it("are there where the sources name them", () => {
    const sources = globSync("{src,test,scripts,bench,loadtest,web/src}/**/*.{ts,tsx,lua}", { cwd: REPOSITORY });
    assert.ok(sources.length > 500);
    for (const path of sources)
      for (const [file] of documentOf(path).matchAll(/\bdocs\/[\w./-]+\.md\b/g))
        assert.ok(file.includes(MADE_UP) || existsSync(join(REPOSITORY, file)), `${path}: ${file}`);
  });

  it("name npm scripts that are there", () => {
    const { scripts } = JSON.parse(documentOf("package.json")) as { scripts: Record<string, string> };
    for (const path of allDocuments()) {
      for (const [, name] of documentOf(path).matchAll(/npm run ([\w:-]+)/g))
        assert.ok(scripts[name!], `${path}: ${name}`);
    }
  });

  it("are wrapped at 120 characters, so that a change shows as what it is", () => {
    for (const path of allDocuments()) {
      const prose = documentOf(path).replace(/^ *```[\s\S]*?^ *```$/gm, "");
      const long = prose
        .split("\n")
        .filter((line) => line.length > 120 && !/^\s*(\||#|>|<|\[|\*\*Summary)|`[^`]{60,}`/.test(line));
      assert.deepEqual(long, [], path);
    }
  });
});
