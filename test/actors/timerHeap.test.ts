import assert from "node:assert/strict";
import { TimerHeap } from "../../src/actors/runtime/TimerHeap.ts";
import { ManualClock } from "./simulation.ts";

describe("the heap of due times", () => {
  it("rings many that are due at once in short goes, each once, so that other work comes in between", async () => {
    const clock = new ManualClock();
    const goes: number[] = [];
    const { schedule } = clock;
    clock.schedule = (action, ms) =>
      schedule.call(
        clock,
        () => {
          goes.push(0);
          action();
        },
        ms,
      );
    const rung: string[] = [];
    const heap = new TimerHeap(clock, (key) => {
      rung.push(key);
      goes[goes.length - 1]! += 1;
    });
    const due = clock.now() + 500;
    const keys = Array.from({ length: 1000 }, (_, at) => `actor-${at}`);
    for (const key of keys) heap.arm(key, due);
    await clock.advance(1000);
    heap.stop();
    assert.deepEqual(rung.toSorted(), keys.toSorted());
    assert.ok(Math.max(...goes) <= 64, `${Math.max(...goes)} were rung in one go`);
  });
});
