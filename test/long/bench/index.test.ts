import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FOLDER = new URL("../../../bench/", import.meta.url);

describe("npm run bench", function () {
  this.timeout(120_000);

  it("knows each bench that there is, and tells of all of them with --help", () => {
    const files = readdirSync(FOLDER).filter((name) => name.endsWith(".ts"));
    const names = files.map((name) => name.slice(0, -".ts".length)).filter((name) => name !== "index");
    const script = fileURLToPath(new URL("index.ts", FOLDER));
    const { status, stdout } = spawnSync(process.execPath, [script, "--help"], { encoding: "utf8" });
    assert.equal(status, 0);
    const told = [...stdout.matchAll(/^npm run bench -- (\S+) \[flags\]$/gm)].map(([, name]) => name);
    assert.deepEqual(told.sort(), names.sort());
  });
});
