import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { removeDirectory, temporaryDirectory } from "../../../scripts/processes/guard.ts";
import { startProcess } from "../../support/processes.ts";

describe("the bench of traces", function () {
  this.timeout(300_000);

  it("measures what they cost a claim, and ends by itself", async () => {
    const folder = temporaryDirectory("bench");
    const file = join(folder, "figures.json");
    const flags = ["--claims", "3200", "--clients", "10", "--seconds", "1", "--rounds", "1", "--report", file];
    const bench = await startProcess("bench/index.ts", { args: ["traces", ...flags] });
    assert.deepEqual(await bench.exited, { code: 0, signal: null }, bench.tail());
    const { seams, floods } = JSON.parse(readFileSync(file, "utf8")) as {
      seams: { on: { ratio: number }[] };
      floods: Record<string, number[]>;
    };
    assert.deepEqual(
      seams.on.map(({ ratio }) => ratio),
      [0, 0.01, 1],
    );
    for (const name of ["off", "on"]) assert.ok(floods[name]![0]! > 0, name);
    removeDirectory(folder);
  });
});
