import assert from "node:assert/strict";
import { persist } from "../../src/actors/events/persist.ts";
import { ManualClock } from "./simulation.ts";

describe("what rooms depend on", () => {
  it("is tried again every two seconds while it fails, and each failure is told", async () => {
    const clock = new ManualClock();
    const failures: unknown[] = [];
    let tries = 0;
    const done = persist(
      async () => {
        tries += 1;
        if (tries < 4) throw new Error(`failure ${tries}`);
      },
      { clock, isWanted: () => true, failed: (error) => failures.push((error as Error).message) },
    );
    await clock.advance(5999);
    assert.equal(tries, 3);
    await clock.advance(1);
    await done;
    assert.deepEqual(failures, ["failure 1", "failure 2", "failure 3"]);
    await clock.advance(10_000);
    assert.equal(tries, 4);
  });

  it("is given up once nobody wants it any more", async () => {
    const clock = new ManualClock();
    let [tries, isWanted] = [0, true];
    const work = async (): Promise<never> => {
      tries += 1;
      throw new Error("again");
    };
    const done = persist(work, { clock, isWanted: () => isWanted, failed: () => {} });
    await clock.advance(2000);
    assert.equal(tries, 2);
    isWanted = false;
    await clock.advance(10_000);
    await done;
    assert.equal(tries, 2);
  });
});
