import assert from "node:assert/strict";
import { CheckedClock } from "../../src/actors/runtime/CheckedClock.ts";
import { ManualClock } from "./simulation.ts";

describe("a clock that is checked against the cluster's time", () => {
  let base: ManualClock;
  let clock: CheckedClock;
  /** How far the shared memory's clock is ahead of the truth. */
  let sharedOffMs: number;

  beforeEach(() => {
    base = new ManualClock();
    clock = new CheckedClock(base);
    sharedOffMs = 0;
  });

  /** The truth is the monotonic clock of the test. `others`: how far the other nodes' clocks are ahead of the truth. */
  async function beat(others: number[] = [], roundTripMs = 10): Promise<void> {
    const sentAt = base.monotonic();
    await base.advance(roundTripMs / 2);
    const at = base.monotonic() + sharedOffMs;
    await base.advance(roundTripMs / 2);
    const measured = others.map((off) => off - sharedOffMs);
    clock.learn({ sentAt, receivedAt: base.monotonic(), at, others: measured });
    await base.advance(500);
  }

  const offBy = (): number => Math.round(clock.now() - base.monotonic());

  it("is the wall clock until there is a measurement, and as long as that is no more than 2 s off", async () => {
    base.wallOffset = 7_000_000;
    assert.equal(offBy(), 7_000_000);
    base.wallOffset = 1900;
    await beat();
    assert.deepEqual([offBy(), clock.isOff], [1900, false]);
  });

  it("tells whole milliseconds, as a wall clock does", async () => {
    base.wallOffset = 7_000_000;
    sharedOffMs = 0.4;
    await beat();
    assert.equal(clock.isOff, true);
    assert.ok(Number.isInteger(clock.now()));
  });

  for (const off of [-3_600_000, -2100, 2100, 3_600_000]) {
    it(`goes by the cluster's time when it is off by ${off} ms from the start`, async () => {
      base.wallOffset = off;
      await beat();
      assert.deepEqual([offBy(), clock.isOff, Math.round(clock.offMs)], [0, true, off]);
    });

    it(`is not carried along by a jump of ${off} ms, not even until the next beat, nor by the jump back`, async () => {
      await beat();
      base.wallOffset = off;
      assert.equal(offBy(), 0);
      await beat();
      assert.deepEqual([offBy(), clock.isOff], [0, true]);
      base.wallOffset = 0;
      assert.deepEqual([offBy(), clock.isOff], [0, false]);
    });
  }

  it("takes half of a round trip into account, and nothing from one that is long", async () => {
    await beat([], 900);
    assert.ok(Math.abs(clock.offMs) < 1, `${clock.offMs}`);
    sharedOffMs = 60_000;
    for (let times = 0; times < 5; times++) await beat([], 1500);
    assert.ok(Math.abs(clock.offMs) < 1, `${clock.offMs}`);
  });

  for (const others of [[], [0], [0, 0], [0, 0, 0]]) {
    it(`believes itself and ${others.length} others, when the shared memory's clock leaps`, async () => {
      for (let times = 0; times < 3; times++) await beat(others);
      for (const leap of [5000, -5000, 3_600_000]) {
        sharedOffMs = leap;
        // The others have not told anew yet how far they are off.
        clock.learn({
          ...{ sentAt: base.monotonic(), receivedAt: base.monotonic() },
          ...{ at: base.monotonic() + leap, others },
        });
        assert.equal(offBy(), 0);
        for (let times = 0; times < 10; times++) await beat(others);
        assert.deepEqual([offBy(), clock.isOff], [0, false], `${leap}`);
      }
    });
  }

  it("believes the shared memory and the others when it is off itself, also with one more that is", async () => {
    base.wallOffset = 10_000;
    for (let times = 0; times < 5; times++) await beat([0, 10_000, 0]);
    assert.deepEqual([offBy(), clock.isOff], [0, true]);
  });

  it("is right again once its monotonic clock has stood still, when wall clock and shared memory agree", async () => {
    await beat();
    // As after a machine was suspended for an hour.
    base.wallOffset += 3_600_000;
    sharedOffMs = 3_600_000;
    await beat();
    assert.equal(clock.isOff, false);
    assert.equal(offBy(), 3_600_000);
  });
});
