import assert from "node:assert/strict";
import { KeptReads } from "../../src/actors/events/KeptReads.ts";
import { ManualClock } from "../actors/simulation.ts";

describe("reads of all that an event holds", () => {
  let clock: ManualClock;
  let reads: KeptReads<number>;
  /** Reads that were begun, each with what ends it. */
  let begun: { end(): void; fail(): void }[];

  beforeEach(() => {
    clock = new ManualClock();
    reads = new KeptReads(clock);
    begun = [];
  });

  const read = (): Promise<number> =>
    new Promise((resolve, reject) => {
      const number = begun.length + 1;
      begun.push({ end: () => resolve(number), fail: () => reject(new Error("lost")) });
    });

  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it("are made once for all who ask, and again after five seconds while the event goes on", async () => {
    const asked = [reads.get("t", false, read), reads.get("t", false, read)];
    await turn();
    begun[0]!.end();
    assert.deepEqual(await Promise.all(asked), [1, 1]);
    await clock.advance(4999);
    assert.equal(await reads.get("t", false, read), 1);
    await clock.advance(1);
    const again = reads.get("t", false, read);
    await turn();
    begun[1]!.end();
    assert.equal(await again, 2);
  });

  it("are not made again once it is over, unless they failed", async () => {
    const failed = reads.get("t", true, read);
    await turn();
    begun[0]!.fail();
    await assert.rejects(failed);
    const again = reads.get("t", true, read);
    await turn();
    begun[1]!.end();
    assert.equal(await again, 2);
    await clock.advance(86_400_000);
    assert.equal(await reads.get("t", true, read), 2);
  });

  it("take turns, and those for whom too many wait are refused", async () => {
    const asked = Array.from({ length: 100 }, (_, at) => reads.get(`t${at}`, true, read));
    await assert.rejects(reads.get("one more", true, read), { code: "overloaded" });
    await turn();
    assert.equal(begun.length, 1);
    for (let at = 0; at < asked.length; at += 1) {
      begun[at]!.end();
      await asked[at];
      await turn();
    }
    assert.equal(begun.length, 100);
  });
});
