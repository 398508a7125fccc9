import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { IdleResult } from "../../../bench/actors/idle.ts";
import { removeDirectory, temporaryDirectory } from "../../../scripts/processes/guard.ts";
import { startProcess } from "../../support/processes.ts";

describe("the bench of standing still", function () {
  this.timeout(120_000);

  it("costs each node the same, however many there are", async () => {
    const folder = temporaryDirectory("bench");
    const file = join(folder, "figures.json");
    const bench = await startProcess("bench/index.ts", {
      args: ["idle", "--nodes", "2,12", "--actors", "1000", "--seconds", "20", "--report", file],
    });
    assert.deepEqual(await bench.exited, { code: 0, signal: null }, bench.tail());
    const { results } = JSON.parse(readFileSync(file, "utf8")) as { results: IdleResult[] };
    const [few, many] = results as [IdleResult, IdleResult];
    for (const what of ["statements", "redisCommands", "beatBytes"] as const) {
      const [one, other] = [few[what] / few.nodes, many[what] / (what === "beatBytes" ? few.nodes : many.nodes)];
      assert.ok(few[what] > 0 && other <= 1.2 * one, `${what} a node: ${one} of 2, ${other} of 12`);
    }
    assert.ok(many.rows < 1, `${many.rows} rows a second are read though nothing is due`);
    removeDirectory(folder);
  });
});
