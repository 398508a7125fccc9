import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { RevealResult } from "../../../bench/hunts/reveal.ts";
import { removeDirectory, temporaryDirectory } from "../../../scripts/processes/guard.ts";
import { startProcess } from "../../support/processes.ts";

describe("the bench of reveals", function () {
  this.timeout(120_000);

  it("comes to the same winners as one transaction and in parts", async () => {
    const folder = temporaryDirectory("bench");
    const file = join(folder, "figures.json");
    const flags = ["--assignments", "20000,45000", "--players", "900", "--report", file];
    const bench = await startProcess("bench/index.ts", { args: ["reveal", ...flags] });
    assert.deepEqual(await bench.exited, { code: 0, signal: null }, bench.tail());
    const { sizes } = JSON.parse(readFileSync(file, "utf8")) as { sizes: RevealResult[] };
    assert.deepEqual(
      sizes.map(({ isSame, counting, results }) => [isSame, counting.parts, results.parts]),
      [
        [true, 2, 1],
        [true, 3, 1],
      ],
    );
    removeDirectory(folder);
  });
});
