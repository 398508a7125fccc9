import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { StatementsResult } from "../../../bench/entities/statements.ts";
import type { BesideLoadResult } from "../../../bench/hunts/besideLoad.ts";
import { removeDirectory, temporaryDirectory } from "../../../scripts/processes/guard.ts";
import { startProcess } from "../../support/processes.ts";

describe("the bench of bulkheads", function () {
  this.timeout(120_000);

  it("answers every claim beside nothing, timers and a bare process, and ends by itself", async () => {
    const folder = temporaryDirectory("bench");
    const file = join(folder, "figures.json");
    const flags = ["--timers", "300", "--clients", "40", "--rate", "100", "--seconds", "0.5", "--rounds", "1"];
    const bench = await startProcess("bench/index.ts", {
      args: ["bulkheads", ...flags, "--seed", "7", "--report", file],
    });
    assert.deepEqual(await bench.exited, { code: 0, signal: null }, bench.tail());
    const { claims, statements } = JSON.parse(readFileSync(file, "utf8")) as {
      claims: BesideLoadResult;
      statements: StatementsResult;
    };
    for (const [beside, rounds] of Object.entries(claims)) {
      assert.equal(rounds.length, 1);
      const [{ traffic }] = rounds as [BesideLoadResult["bare"][number]];
      assert.deepEqual(traffic.errors, {}, beside);
      assert.ok(traffic.claim.count > 0 && traffic.solve.count > 0, beside);
    }
    assert.ok(statements.ours.length > 0);
    for (const { perSecond } of [...statements.ours, ...statements.raw]) assert.ok(perSecond > 0);
    assert.match(bench.tail(), /p99 of claims: timers ÷ bare process \d/);
    removeDirectory(folder);
  });
});
