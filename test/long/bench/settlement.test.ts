import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { SettlementResult } from "../../../bench/tournaments/settle.ts";
import { removeDirectory, temporaryDirectory } from "../../../scripts/processes/guard.ts";
import { startProcess } from "../../support/processes.ts";

describe("the bench of settlements", function () {
  this.timeout(120_000);

  it("settles beside a bare load of the same rows, and ends by itself", async () => {
    const folder = temporaryDirectory("bench");
    const file = join(folder, "figures.json");
    const flags = ["--players", "300", "--rounds", "2", "--seed", "7", "--report", file];
    const bench = await startProcess("bench/index.ts", { args: ["settlement", ...flags] });
    assert.deepEqual(await bench.exited, { code: 0, signal: null }, bench.tail());
    const figures = JSON.parse(readFileSync(file, "utf8")) as SettlementResult & { ratio: number };
    assert.deepEqual([figures.players, figures.awards], [300, 110], "every player stands, and every prize is paid");
    assert.equal(figures.rounds.length, 2);
    for (const { settledMs, loadedMs } of figures.rounds) assert.ok(settledMs > 0 && loadedMs > 0);
    for (const hash of figures.resultHashes) assert.match(hash, /^[0-9a-f]{64}$/);
    assert.ok(figures.ratio > 0);
    assert.match(bench.tail(), /times the bare load \(goal: at most \d/);
    removeDirectory(folder);
  });
});
