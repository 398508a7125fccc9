import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { startProcess } from "../support/processes.ts";

describe("npm run bench", function () {
  this.timeout(60_000);

  it("knows each bench that there is, and tells of all of them with --help", async () => {
    const files = readdirSync(new URL("../../bench", import.meta.url)).filter((name) => name.endsWith(".ts"));
    const names = files.map((name) => name.slice(0, -".ts".length)).filter((name) => name !== "index");
    const bench = await startProcess("bench/index.ts", { args: ["--help"] });
    assert.deepEqual(await bench.exited, { code: 0, signal: null }, bench.tail());
    const told = [...bench.tail().matchAll(/^npm run bench -- (\S+) \[flags\]$/gm)].map(([, name]) => name);
    assert.deepEqual(told.sort(), names.sort());
  });
});
