import assert from "node:assert/strict";
import { type Clock, systemClock } from "../../src/clock.ts";
import { TokenBucket } from "../../src/edge/TokenBucket.ts";

describe("TokenBucket", () => {
  let now = 0;
  const clock: Clock = { ...systemClock, monotonic: () => now };

  const taken = (bucket: TokenBucket, tries: number): number =>
    Array.from({ length: tries }, () => bucket.take()).filter(Boolean).length;

  it("allows its burst at once, and then its rate", () => {
    const bucket = new TokenBucket(20, 40, clock);
    assert.equal(taken(bucket, 100), 40);
    now += 500;
    assert.equal(taken(bucket, 100), 10);
    now += 49;
    assert.equal(taken(bucket, 1), 0);
    now += 1;
    assert.equal(taken(bucket, 2), 1);
  });

  it("saves up no more than its burst", () => {
    const bucket = new TokenBucket(20, 40, clock);
    now += 3_600_000;
    assert.equal(taken(bucket, 100), 40);
  });
});
