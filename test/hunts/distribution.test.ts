import assert from "node:assert/strict";
import fc from "fast-check";
import { issueUpTo, LOW_WATER, POOL_CAP, type PoolDemand, wantsMore } from "../../src/actors/hunts/distribution.ts";

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const PLENTY = 1_000_000;

describe("the distribution of clues", () => {
  const wanting: [string, PoolDemand, number, boolean][] = [
    ["a pool that is half empty asks", { pool: LOW_WATER / 2 - 1, waiting: 0, issued: 500 }, PLENTY, true],
    ["a pool that is half full does not", { pool: LOW_WATER / 2, waiting: 0, issued: 500 }, PLENTY, false],
    ["somebody who waits asks", { pool: 0, waiting: 1, issued: 500 }, PLENTY, true],
    ["a hunt that is spent asks nobody", { pool: 0, waiting: 9, issued: 500 }, 500, false],
  ];
  for (const [name, demand, total, wants] of wanting) {
    it(`${name}`, () => assert.equal(wantsMore(demand, total), wants));
  }

  const issuing: [string, PoolDemand, number, number, number][] = [
    ["fills an empty pool to the low-water mark", { pool: 0, waiting: 0, issued: 0 }, 0, PLENTY, LOW_WATER],
    ["has enough for all who wait, and the mark", { pool: 0, waiting: 100, issued: 256 }, 256, PLENTY, 356 + LOW_WATER],
    ["fills up what is missing only", { pool: 100, waiting: 0, issued: 256 }, 256, PLENTY, 156 + LOW_WATER],
    ["ends at the total", { pool: 0, waiting: 100, issued: 256 }, 256, 300, 300],
    ["takes no more than the cap at once", { pool: 0, waiting: 100_000, issued: 256 }, 256, PLENTY, 256 + POOL_CAP],
    ["does nothing for a full pool", { pool: LOW_WATER, waiting: 0, issued: 256 }, 256, PLENTY, 256],
    [
      "has enough for who waits beside a full pool, of which they may have nothing",
      { pool: 3 * POOL_CAP, waiting: 1, issued: 20_000 },
      20_000,
      PLENTY,
      20_001 + LOW_WATER,
    ],
    ["passes over a demand seen before the last one was met", { pool: 0, waiting: 50, issued: 200 }, 256, PLENTY, 256],
  ];
  for (const [name, demand, issued, total, upTo] of issuing) {
    it(`${name}`, () => assert.equal(issueUpTo(demand, issued, total), upTo));
  }

  describe("for any demand", () => {
    before(() => console.log(`      seed ${SEED} (SEED=${SEED} replays)`));

    it("never shrinks, exceeds the total or the cap, or fills the pool above the cap while nobody waits", () => {
      check((demand, issued, total) => {
        const upTo = issueUpTo(demand, issued, total);
        assert.ok(upTo >= issued && upTo <= total);
        assert.ok(upTo - issued <= POOL_CAP);
        assert.ok(upTo === issued || demand.waiting > 0 || demand.pool + (upTo - issued) <= POOL_CAP);
      });
    });

    it("is met once, however often it is repeated", () => {
      check((demand, issued, total) => {
        const upTo = issueUpTo({ ...demand, issued }, issued, total);
        if (upTo > issued) assert.equal(issueUpTo({ ...demand, issued }, upTo, total), upTo);
      });
    });

    it("is met in full after enough rounds, when nothing else happens", () => {
      check(({ pool, waiting }, issued, total) => {
        let seen: PoolDemand = { pool, waiting, issued };
        while (wantsMore(seen, total)) {
          const upTo = issueUpTo(seen, seen.issued, total);
          assert.ok(upTo > seen.issued, "each round brings it closer");
          const added = upTo - seen.issued;
          const served = Math.min(added, seen.waiting);
          seen = { pool: seen.pool + added - served, waiting: seen.waiting - served, issued: upTo };
        }
        assert.ok(seen.issued === total || seen.waiting === 0);
      });
    });
  });
});

function check(holds: (demand: PoolDemand, issued: number, total: number) => void): void {
  const count = fc.nat({ max: 3 * POOL_CAP });
  // Who waits may have nothing that is in the pool.
  const standing = fc.oneof(
    fc.record({ pool: fc.nat({ max: POOL_CAP }), waiting: fc.constant(0) }),
    fc.record({ pool: count, waiting: count }),
  );
  const demand = fc.tuple(standing, count).map(([seen, issued]) => ({ ...seen, issued }));
  const property = fc.property(demand, count, count, (seen, issued, more) => holds(seen, issued, issued + more));
  fc.assert(property, { seed: SEED, numRuns: 1000 });
}
