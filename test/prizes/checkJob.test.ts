import assert from "node:assert/strict";
import { prizeCheckJob } from "../../src/schedulers/prizes/prizeCheckJob.ts";

const CONTEXT = {
  scheduledAt: 0,
  attempt: 1,
  earlierProgress: null,
  signal: new AbortController().signal,
  progress: () => {},
};

describe("the nightly check of the prize ledger", () => {
  it("succeeds when every inventory is the sum of its awards", async () => {
    const job = prizeCheckJob({ imbalances: async () => [] });
    assert.deepEqual(await job.run(CONTEXT), { imbalances: 0 });
  });

  it("fails, naming player, item and both sums, when one is not", async () => {
    const job = prizeCheckJob({
      imbalances: async () => [{ playerId: "ada", item: "TICO", awarded: "5", held: "6" }],
    });
    await assert.rejects(async () => job.run(CONTEXT), /ada holds 6 TICO, and was awarded 5/);
  });
});
