import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { FairQueue } from "../../src/http/FairQueue.ts";

describe("What comes from many", () => {
  let now: number;
  let queue: FairQueue;
  let begun: string[];

  beforeEach(() => {
    now = 0;
    queue = new FairQueue({ monotonic: () => now });
    begun = [];
  });

  /** Each takes 0.15 ms, so that two of them are what one turn has time for. */
  const add = (from: string, what: string): void =>
    queue.add(from, () => {
      begun.push(what);
      now += 0.15;
    });

  it("is begun at once while there is little of it", async () => {
    for (const what of ["a1", "a2"]) add("a", what);
    assert.deepEqual(begun, ["a1", "a2"]);
    await turn();
    add("a", "a3");
    assert.equal(begun.at(-1), "a3");
  });

  it("is begun a little in each turn of the event loop, by turns of whom it comes from", async () => {
    for (let n = 1; n <= 6; n += 1) add("a", `a${n}`);
    add("b", "b1");
    add("c", "c1");
    const turns: string[][] = [];
    while (begun.length > 0) {
      turns.push(begun.splice(0));
      await turn();
    }
    assert.deepEqual(turns, [
      ["a1", "a2"],
      ["a3", "b1"],
      ["c1", "a4"],
      ["a5", "a6"],
    ]);
  });

  it("waits its turn though it is the first of its own, and in order", async () => {
    for (const what of ["a1", "a2", "a3"]) add("a", what);
    add("b", "b1");
    add("b", "b2");
    assert.deepEqual(begun, ["a1", "a2"]);
    await turn();
    await turn();
    assert.deepEqual(begun, ["a1", "a2", "a3", "b1", "b2"]);
  });

  it("is begun for a tenth of the time where turns of the event loop are long, however few of these there are", async () => {
    for (let n = 1; n <= 30; n += 1) add("a", `a${n}`);
    begun.length = 0;
    now += 10;
    await turn();
    // The turn took 10.3 ms: seven begin within the first 1.03 ms.
    assert.equal(begun.length, 7);
    await turn();
    assert.equal(begun.length, 9, "that one took no longer than what was begun in it");
    while (begun.length < 28) await turn();
    now += 1000;
    await turn();
    begun.length = 0;
    for (let n = 1; n <= 3; n += 1) add("a", `a${n}`);
    assert.equal(begun.length, 2, "what comes after a pause finds no time saved up");
  });
});
