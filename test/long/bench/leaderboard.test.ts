import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { SubmitsResult } from "../../../bench/tournaments/submits.ts";
import { removeDirectory, temporaryDirectory } from "../../../scripts/processes/guard.ts";
import { startProcess } from "../../support/processes.ts";

describe("the bench of leaderboards", function () {
  this.timeout(120_000);

  it("measures the board beside a bare sorted set, and ends by itself", async () => {
    const folder = temporaryDirectory("bench");
    const file = join(folder, "figures.json");
    const flags = ["--players", "300", "--callers", "20", "--rounds", "2", "--seconds", "0.2", "--seed", "7"];
    const bench = await startProcess("bench/index.ts", { args: ["leaderboard", ...flags, "--report", file] });
    assert.deepEqual(await bench.exited, { code: 0, signal: null }, bench.tail());
    const figures = JSON.parse(readFileSync(file, "utf8")) as SubmitsResult & { ratios: Record<string, number> };
    for (const side of ["last", "best", "bare"] as const) {
      assert.equal(figures[side].length, 2);
      for (const { perSecond, latency } of figures[side]) assert.ok(perSecond > 0 && latency.count >= 20);
    }
    assert.ok(figures.ratios.last! > 0 && figures.ratios.best! > 0);
    assert.match(bench.tail(), /board ÷ bare: \d/);
    removeDirectory(folder);
  });
});
