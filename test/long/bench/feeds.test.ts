import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { WakeCost } from "../../../bench/feeds/wakes.ts";
import { removeDirectory, temporaryDirectory } from "../../../scripts/processes/guard.ts";
import { startProcess } from "../../support/processes.ts";

describe("the bench of feeds", function () {
  this.timeout(120_000);

  it("measures what an event costs with each way to hear it, and ends by itself", async () => {
    const folder = temporaryDirectory("bench");
    const file = join(folder, "figures.json");
    const args = ["feeds", "--topics", "500", "--events", "20", "--report", file];
    const bench = await startProcess("bench/index.ts", { args });
    assert.deepEqual(await bench.exited, { code: 0, signal: null }, bench.tail());
    const { costs } = JSON.parse(readFileSync(file, "utf8")) as { costs: Record<string, WakeCost> };
    const [nobody, reader, blocking] = Object.values(costs) as [WakeCost, WakeCost, WakeCost];
    // Hearing costs the bytes of the message alone, and a blocking read names every topic again.
    assert.ok(
      reader.bytesIn - nobody.bytesIn < 100,
      `${reader.bytesIn} bytes in, ${nobody.bytesIn} when nobody follows`,
    );
    assert.ok(blocking.bytesIn - nobody.bytesIn > 500 * 20, `${blocking.bytesIn} bytes in`);
    removeDirectory(folder);
  });
});
