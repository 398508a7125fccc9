import assert from "node:assert/strict";
import { replayOf, runSeed } from "../simulation/campaign.ts";

/** `SEED=<seed> npx mocha test/long/simulation.test.ts` plays the same again. */
const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const SEEDS = 800;

describe("a simulated cluster, whatever happens to its nodes, at length", function () {
  this.timeout(900_000);

  it("does what it has acknowledged once, what it has refused never, in order, and forgets no timer and no due time", async () => {
    console.log(`      seeds ${SEED} to ${SEED + SEEDS - 1} (SEED=${SEED} replays)`);
    const failed: string[] = [];
    for (let seed = SEED; seed < SEED + SEEDS; seed += 1) {
      const { violations } = await runSeed(seed);
      if (violations.length > 0) failed.push(`${replayOf(seed)}: ${violations.join("; ")}`);
    }
    assert.deepEqual(failed, []);
  });
});
