import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ClaimsResult } from "../../../bench/hunts/claims.ts";
import { removeDirectory, temporaryDirectory } from "../../../scripts/processes/guard.ts";
import { startProcess } from "../../support/processes.ts";

/** What `--report` holds, as far as a run on a busy machine can be held to it. */
interface Figures {
  environment: { flushLogAtCommit: number };
  claims: ClaimsResult;
  turnRatios: { oneStatement: number; withSql: number };
}

describe("the bench of hunts", function () {
  this.timeout(120_000);

  it("measures each thing beside its peer, and ends by itself", async () => {
    const folder = temporaryDirectory("bench");
    const file = join(folder, "figures.json");
    const bench = await startProcess("bench/index.ts", {
      args: ["hunt", "--clients", "40", "--rate", "100", "--seconds", "0.25", "--seed", "7", "--report", file],
    });
    assert.deepEqual(await bench.exited, { code: 0, signal: null }, bench.tail());

    const { environment, claims, turnRatios } = JSON.parse(readFileSync(file, "utf8")) as Figures;
    assert.equal(environment.flushLogAtCommit, 1, "the database writes every commit to the disk");
    assert.equal(claims.cluesStored, claims.cluesGiven, "what players were given is stored");
    for (const { burst, steady, flood } of [claims.hunt, claims.echo]) {
      assert.deepEqual([burst.errors, steady.errors, flood.errors], [{}, {}, {}]);
      assert.deepEqual([burst.claim.count, burst.clue.count], [40, 40], "every player claims at once, and gets a clue");
      for (const { claim, solve } of [steady, flood]) assert.ok(claim.count > 0 && solve.count > 0);
    }
    assert.ok(turnRatios.oneStatement > 0 && turnRatios.withSql > 0);
    assert.match(bench.tail(), /turns with SQL of their own +actors +mysql2/);
    removeDirectory(folder);
  });

  it("names a bench or a flag that there is not", async () => {
    for (const [args, message] of [
      [["nothing"], /there is no bench nothing; there are: [a-z, ]*hunt, /],
      [["hunt", "--clients", "1000000"], /--clients: must be a whole number of at least 1 and at most \d+/],
    ] as const) {
      const bench = await startProcess("bench/index.ts", { args });
      assert.notEqual((await bench.exited).code, 0);
      assert.match(bench.tail(), message);
    }
  });
});
