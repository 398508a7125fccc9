import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { AttacksResult } from "../../../bench/attacks.ts";
import { FLOODS } from "../../../bench/edge/floods.ts";
import { removeDirectory, temporaryDirectory } from "../../../scripts/processes/guard.ts";
import { startProcess } from "../../support/processes.ts";

describe("the bench of attacks", function () {
  this.timeout(180_000);

  it("sends each flood to a sink and to a node, which survives it, answers the others, and has its files back", async () => {
    const folder = temporaryDirectory("bench");
    const report = join(folder, "attacks.json");
    const flags = ["--seconds", "1.5", "--rest", "1", "--attackers", "1", "--report", report];
    const bench = await startProcess("bench/index.ts", { args: ["attacks", ...flags] });
    assert.deepEqual(await bench.exited, { code: 0, signal: null }, bench.tail());
    const { quiet, attacks } = JSON.parse(readFileSync(report, "utf8")) as AttacksResult;
    assert.ok(quiet.room.count > 0 && quiet.http.count > 0);
    assert.deepEqual(
      attacks.map(({ flood }) => flood),
      Object.keys(FLOODS),
    );
    for (const { flood, sink, node, descriptors } of attacks) {
      for (const { done, room, http, errors } of [sink, node]) {
        assert.ok(done.goes > 0 && room.count > 0 && http.count > 0, flood);
        assert.deepEqual(errors, {}, flood);
      }
      assert.ok(descriptors[2] < descriptors[0] + 20, `${flood}: ${descriptors}`);
    }
    removeDirectory(folder);
  });
});
