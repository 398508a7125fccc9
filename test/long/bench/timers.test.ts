import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TimersResult } from "../../../bench/actors/timers.ts";
import { removeDirectory, temporaryDirectory } from "../../../scripts/processes/guard.ts";
import { startProcess } from "../../support/processes.ts";

describe("the bench of timers", function () {
  this.timeout(120_000);

  it("fires every timer once, beside as many setTimeouts, and ends by itself", async () => {
    const folder = temporaryDirectory("bench");
    const file = join(folder, "figures.json");
    const bench = await startProcess("bench/index.ts", {
      args: ["timers", "--timers", "300", "--seconds", "0.2", "--report", file],
    });
    assert.deepEqual(await bench.exited, { code: 0, signal: null }, bench.tail());
    const { alone, beside, fired, stored } = JSON.parse(readFileSync(file, "utf8")) as TimersResult;
    assert.deepEqual(
      [alone, beside, fired, stored].map(({ count }) => count),
      [300, 300, 300, 300],
    );
    removeDirectory(folder);
  });
});
