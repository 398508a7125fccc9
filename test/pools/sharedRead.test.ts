import assert from "node:assert/strict";
import { SharedRead } from "../../src/actors/pools/SharedRead.ts";

const FRESH_MS = 2000;

describe("a read that is shared", () => {
  let now = 0;
  let reads: Array<PromiseWithResolvers<number>>;
  let shared: SharedRead<number>;

  beforeEach(() => {
    reads = [];
    shared = new SharedRead({
      clock: { now: () => now },
      freshMs: FRESH_MS,
      read: () => {
        reads.push(Promise.withResolvers<number>());
        return reads.at(-1)!.promise;
      },
    });
  });

  /** Lets all that can go on without a read do so. */
  const settle = () => new Promise((resolve) => setImmediate(resolve));

  /** A read that has ended. */
  async function read(value: number): Promise<void> {
    const found = shared.get();
    await settle();
    reads.at(-1)!.resolve(value);
    assert.equal(await found, value);
  }

  it("is one for all who ask while it is under way, however long that is", async () => {
    const found = [shared.get()];
    for (let asked = 0; asked < 5; asked++) {
      await settle();
      now += 10 * FRESH_MS;
      found.push(shared.get());
    }
    assert.equal(reads.length, 1);
    reads[0]!.resolve(7);
    assert.deepEqual(await Promise.all(found), [7, 7, 7, 7, 7, 7]);
  });

  it("counts from its end on", async () => {
    const found = shared.get();
    await settle();
    now += 10 * FRESH_MS;
    reads[0]!.resolve(1);
    await found;
    now += FRESH_MS - 1;
    assert.equal(await shared.get(), 1);
    now += 1;
    await read(2);
    assert.equal(reads.length, 2);
  });

  it("does not count while the clock is behind its end", async () => {
    await read(1);
    now -= 1;
    await read(2);
  });

  it("that fails does so for all who wait for it, and is tried again by who asks then", async () => {
    const found = [shared.get(), shared.get()];
    await settle();
    reads[0]!.reject(new Error("out of reach"));
    for (const each of found) await assert.rejects(each, /out of reach/);
    await read(3);
  });

  it("counts no more once it is forgotten", async () => {
    await read(1);
    shared.clear();
    await read(2);
    assert.equal(reads.length, 2);
  });

  for (const outcome of ["resolve", "reject"] as const) {
    it(`is followed by one for those who ask after it is forgotten, when it has ended (${outcome})`, async () => {
      const first = shared.get();
      await settle();
      shared.clear();
      const second = [shared.get(), shared.get()];
      shared.clear();
      second.push(shared.get());
      await settle();
      assert.equal(reads.length, 1, "one at a time");
      if (outcome === "resolve") reads[0]!.resolve(1);
      else reads[0]!.reject(new Error("out of reach"));
      await Promise.allSettled([first]);
      await settle();
      assert.equal(reads.length, 2);
      reads[1]!.resolve(2);
      assert.deepEqual(await Promise.all(second), [2, 2, 2]);
    });
  }
});
