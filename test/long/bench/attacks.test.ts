import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { AttacksResult } from "../../../bench/attacks.ts";
import { FLOODS } from "../../../bench/edge/floods.ts";
import { removeDirectory, temporaryDirectory } from "../../../scripts/processes/guard.ts";
import { startProcess } from "../../support/processes.ts";

/** What remembered addresses, and code that runs for the first time, may come to. */
const MORE_MB = 20;

describe("the bench of attacks", function () {
  this.timeout(600_000);

  it("sends each flood to a node, which survives it, answers the others, and has its memory and files back, and to a sink", async () => {
    const folder = temporaryDirectory("bench");
    const report = join(folder, "attacks.json");
    const flags = ["--seconds", "4", "--rounds", "1", "--rest", "30", "--attackers", "5", "--report", report];
    const bench = await startProcess("bench/index.ts", { args: ["attacks", ...flags] });
    assert.deepEqual(await bench.exited, { code: 0, signal: null }, bench.tail());
    const { quiet, attacks } = JSON.parse(readFileSync(report, "utf8")) as AttacksResult;
    assert.ok(quiet.room.count > 0 && quiet.http.count > 0);
    assert.deepEqual(
      attacks.map(({ flood }) => flood),
      Object.keys(FLOODS),
    );
    for (const { flood, node, sink, before, after } of attacks) {
      for (const [at, { done, room, http, errors }] of [...node, ...sink].entries()) {
        assert.ok(done.connections > 0 && room.count > 0 && http.count > 0, flood);
        assert.deepEqual(errors, {}, `${flood} ${at}`);
      }
      const [sent, again] = [node[0]!.done, sink[0]!.done];
      assert.ok(
        again.connections > 0.5 * sent.connections && again.mb >= 0.5 * sent.mb,
        `${flood}: the same, of ${JSON.stringify(sent)} ${JSON.stringify(again)}`,
      );
      const [more, heap, external] = [
        after.descriptors - before.descriptors,
        after.memory.heap - before.memory.heap,
        after.memory.external - before.memory.external,
      ];
      assert.ok(more < 10, `${flood}: ${more} more files`);
      assert.ok(
        heap < MORE_MB && external < MORE_MB,
        `${flood}: ${heap} MB more of heap, ${external} MB outside of it`,
      );
    }
    removeDirectory(folder);
  });
});
