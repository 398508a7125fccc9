import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { FlowQueue } from "../../src/edge/FlowQueue.ts";

describe("What comes from many", () => {
  let now: number;
  let queue: FlowQueue;
  let begun: string[];

  beforeEach(() => {
    now = 0;
    queue = new FlowQueue({ monotonic: () => now });
    begun = [];
  });

  /** Each takes 0.15 ms, so that two of them are what one turn has time for. */
  const add = (from: string, what: string): void =>
    queue.add(from, () => {
      begun.push(what);
      now += 0.15;
    });

  /** Until promises and ticks rest, in the same turn of the event loop. */
  const rest = async (): Promise<void> => {
    for (let n = 0; n < 20; n += 1) await new Promise<void>((resolve) => process.nextTick(resolve));
  };

  /** What was begun in each turn, this one first, until so much was. */
  const turnsOf = async (count: number): Promise<string[][]> => {
    const turns: string[][] = [];
    for (await rest(); ; await turn()) {
      turns.push(begun.splice(0));
      if (turns.flat().length >= count) return turns;
    }
  };

  it("is begun at once while there is little of it", async () => {
    for (const what of ["a1", "a2"]) add("a", what);
    await rest();
    assert.deepEqual(begun, ["a1", "a2"]);
    await turn();
    add("a", "a3");
    assert.equal(begun.at(-1), "a3");
  });

  it("is begun a little in each turn of the event loop, by turns of whom it comes from", async () => {
    for (let n = 1; n <= 6; n += 1) add("a", `a${n}`);
    add("b", "b1");
    add("c", "c1");
    assert.deepEqual(await turnsOf(8), [
      ["a1", "b1"],
      ["c1", "a2"],
      ["a3", "a4"],
      ["a5", "a6"],
    ]);
  });

  it("keeps the order of what comes from the same", async () => {
    for (const what of ["a1", "a2", "a3"]) add("a", what);
    add("b", "b1");
    add("b", "b2");
    assert.deepEqual(await turnsOf(5), [["a1", "b1"], ["a2", "b2"], ["a3"]]);
  });

  it("is begun for a tenth of the time where turns of the event loop are long, however few of these there are", async () => {
    for (let n = 1; n <= 30; n += 1) add("a", `a${n}`);
    await rest();
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
    await rest();
    assert.equal(begun.length, 2, "what comes after a pause finds no time saved up");
  });

  it("is counted with the promises that go on at once, which most of a request is in", async () => {
    const work = async (what: string): Promise<void> => {
      for (let n = 0; n < 3; n += 1) await null;
      begun.push(what);
      now += 0.15;
    };
    for (const what of ["a1", "a2", "a3", "a4", "a5", "a6"]) queue.add("a", () => void work(what));
    assert.deepEqual(await turnsOf(6), [
      ["a1", "a2"],
      ["a3", "a4"],
      ["a5", "a6"],
    ]);
  });

  it("is begun before what is left of the others, once, where it is the first of its own", async () => {
    for (let n = 1; n <= 6; n += 1) for (const flow of ["a", "b", "c"]) add(flow, `${flow}${n}`);
    // Each has had its turn.
    while (new Set(begun.map((what) => what[0])).size < 3) await turn();
    begun.length = 0;
    for (const what of ["d1", "d2"]) add("d", what);
    while (!begun.includes("d2")) await turn();
    assert.equal(begun[0], "d1");
    const between = begun.slice(1, begun.indexOf("d2")).map((what) => what[0]);
    assert.deepEqual(between.sort(), ["a", "b", "c"]);
  });

  it("takes turns with the others where one thing of it always comes as soon as the one before is begun", async () => {
    for (let n = 1; n <= 20; n += 1) add("a", `a${n}`);
    let sent = 0;
    const again = (): void =>
      queue.add("b", () => {
        begun.push("b");
        now += 0.15;
        sent += 1;
        if (sent < 20) setImmediate(again);
      });
    again();
    while (sent < 20) await turn();
    const before = begun.indexOf("a10");
    assert.ok(begun.slice(0, before).filter((what) => what === "b").length <= 11, begun.join(" "));
  });

  it("is begun also where ever new ones come before it, as from an attacker with many addresses", async () => {
    for (let n = 1; n <= 5; n += 1) add("honest", `honest${n}`);
    let sent = 0;
    const another = (): void => {
      sent += 1;
      queue.add(`new${sent}`, () => {
        begun.push("new");
        now += 0.15;
        if (sent <= 200) another();
      });
    };
    another();
    another();
    while (begun.length < 206) await turn();
    assert.deepEqual(
      begun.slice(0, 40).filter((what) => what !== "new"),
      ["honest1", "honest2", "honest3", "honest4", "honest5"],
    );
  });

  it("goes on a little in each turn where many have waited for the same", async () => {
    const waited = Promise.resolve();
    for (let n = 1; n <= 6; n += 1)
      void waited
        .then(() => queue.turn("a"))
        .then(() => {
          begun.push(`a${n}`);
          now += 0.15;
        });
    assert.deepEqual(await turnsOf(6), [
      ["a1", "a2"],
      ["a3", "a4"],
      ["a5", "a6"],
    ]);
  });
});
