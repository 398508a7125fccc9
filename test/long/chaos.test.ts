import assert from "node:assert/strict";
import { removeDirectory, temporaryDirectory } from "../../scripts/processes/guard.ts";
import { runChaos } from "../chaos/runChaos.ts";
import { muteSdk } from "../support/Visitor.ts";

/** `SEED=<seed> npx mocha test/long/chaos.test.ts` has the same faults come again; `npm run chaos` has more, for longer. */
const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);

describe("a minute of chaos on four nodes", function () {
  this.timeout(600_000);
  muteSdk();

  it("violates nothing that players, callers and operators were promised", async () => {
    const directory = temporaryDirectory("chaos");
    const say = (line: string): void => console.log(`      ${line}`);
    try {
      const { findings, faults } = await runChaos({ minutes: 1, seed: SEED, directory, say });
      assert.deepEqual(
        findings.filter(({ violations }) => violations.length > 0),
        [],
        `SEED=${SEED} has the same faults come again`,
      );
      assert.ok(faults.length > 0, "something went wrong");
    } finally {
      removeDirectory(directory);
    }
  });
});
