import assert from "node:assert/strict";
import { unpack } from "msgpackr";
import { SharedAnswers } from "../../src/rooms/runtime/SharedAnswers.ts";
import { ManualClock } from "../actors/simulation.ts";

describe("An answer that many ask for", () => {
  let clock: ManualClock;
  let answers: SharedAnswers;
  let reads: number;

  beforeEach(() => {
    clock = new ManualClock();
    answers = new SharedAnswers(clock);
    reads = 0;
  });

  const ask = (question = "q") =>
    answers.of(question, async () => {
      reads += 1;
      return { read: reads };
    });

  it("is read and written once in a quarter of a second", async () => {
    const given = await Promise.all(Array.from({ length: 100 }, () => ask()));
    assert.equal(new Set(given.map(({ bytes }) => bytes)).size, 1);
    assert.deepEqual(unpack(given[0]!.bytes), { read: 1 });
    await clock.advance(249);
    await ask();
    assert.equal(reads, 1);
    await clock.advance(1);
    assert.deepEqual(unpack((await ask()).bytes), { read: 2 });
  });

  it("is read again once something has changed, also while what was read before is under way", async () => {
    const before = ask();
    answers.forget();
    const after = ask();
    assert.deepEqual([unpack((await before).bytes), unpack((await after).bytes)], [{ read: 1 }, { read: 2 }]);
    await ask();
    assert.equal(reads, 2);
  });

  it("is asked for again after a failure, which all hear who waited", async () => {
    const failing = () =>
      answers.of("q", async () => {
        throw new Error("away");
      });
    const both = await Promise.allSettled([failing(), ask()]);
    assert.deepEqual(
      both.map(({ status }) => status),
      ["rejected", "rejected"],
    );
    assert.deepEqual(unpack((await ask()).bytes), { read: 1 });
  });

  it("is forgotten when many others were asked for since", async () => {
    for (let n = 0; n < 200; n += 1) await ask(`q${n}`);
    await ask("q199");
    assert.equal(reads, 200);
    await ask("q0");
    assert.equal(reads, 201);
  });
});
