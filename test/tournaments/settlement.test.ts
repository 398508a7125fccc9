import assert from "node:assert/strict";
import fc from "fast-check";
import { amountsOf, totalsOf } from "../../src/actors/prizes/amounts.ts";
import { assertPayable } from "../../src/actors/prizes/payable.ts";
import { awardsOf, nextPaidRanks } from "../../src/actors/tournaments/settlement.ts";
import { LARGEST_AWARD, type PrizeRange } from "../../src/entities/prizes/PrizeLedger.ts";
import type { Database } from "../../src/entities/sql.ts";
import { openDatabase } from "../support/database.ts";
import { SOME_PRIZES } from "./settlements.ts";

const range = fc
  .tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 0, max: 30 }), fc.constantFrom("A", "B"), fc.nat(50))
  .map(
    ([from, more, item, amount]): PrizeRange => ({
      from,
      to: from + more,
      items: [{ item, amount: String(amount + 1) }],
    }),
  );
const ranges = fc.array(range, { maxLength: 5 });

describe("the prizes of a tournament", () => {
  it("are summed by item where ranges overlap", () => {
    assert.deepEqual(amountsOf(1, SOME_PRIZES), [
      { item: "PRIVATE_PASS", amount: "1" },
      { item: "TICO", amount: "150" },
    ]);
    assert.deepEqual(amountsOf(3, SOME_PRIZES), [{ item: "TICO", amount: "50" }]);
    assert.deepEqual(amountsOf(5, SOME_PRIZES), []);
    assert.deepEqual(
      awardsOf(
        "t",
        [
          { rank: 3, playerId: "ann" },
          { rank: 4, playerId: "bob" },
        ],
        SOME_PRIZES,
      ),
      [{ source: "tournament", sourceId: "t", playerId: "ann", item: "TICO", amount: 50n }],
    );
  });

  it("come to the sum of what the ranks get, and no more ranks than there are players", () => {
    fc.assert(
      fc.property(ranges, fc.nat(70), (prizes, players) => {
        const sums = new Map<string, bigint>();
        for (let rank = 1; rank <= players; rank++)
          for (const { item, amount } of amountsOf(rank, prizes))
            sums.set(item, (sums.get(item) ?? 0n) + BigInt(amount));
        assert.deepEqual(new Map(totalsOf(players, prizes).map(({ item, amount }) => [item, BigInt(amount)])), sums);
      }),
    );
  });

  it("are paid page by page to every rank that gets something, once, and to no others but those in between", () => {
    fc.assert(
      fc.property(ranges, fc.nat(70), fc.integer({ min: 1, max: 20 }), (prizes, players, most) => {
        const paid: number[] = [];
        let paidTo = 0;
        for (
          let page = nextPaidRanks(0, players, prizes, most);
          page;
          page = nextPaidRanks(paidTo, players, prizes, most)
        ) {
          assert.ok(page.from > paidTo && page.to >= page.from && page.to - page.from < most && page.to <= players);
          for (let rank = page.from; rank <= page.to; rank++) if (amountsOf(rank, prizes).length > 0) paid.push(rank);
          paidTo = page.to;
        }
        const expected = Array.from({ length: players }, (_, at) => at + 1);
        assert.deepEqual(
          paid,
          expected.filter((rank) => amountsOf(rank, prizes).length > 0),
        );
      }),
    );
  });

  describe("before they are promised", () => {
    let database: Database;
    before(async () => {
      database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    });
    after(() => database.close());

    it("are refused when an item is unknown", async () => {
      await assertPayable(database, SOME_PRIZES);
      await assertPayable(database, []);
      const unknown = [...SOME_PRIZES, { from: 5, to: 5, items: [{ item: "GOLD", amount: "1" }] }];
      await assert.rejects(assertPayable(database, unknown), { code: "not_found", message: /GOLD/ });
    });

    it("are refused when a rank would get more of an item than one award may be", async () => {
      const most = { item: "TICO", amount: String(LARGEST_AWARD) };
      await assertPayable(database, [
        { from: 1, to: 4, items: [most] },
        { from: 5, to: 9, items: [most] },
      ]);
      for (const prizes of [
        [{ from: 1, to: 1, items: [most, { item: "TICO", amount: "1" }] }],
        [
          { from: 1, to: 5, items: [most] },
          { from: 5, to: 9, items: [most] },
        ],
      ])
        await assert.rejects(assertPayable(database, prizes), { code: "invalid_payload" });
    });
  });
});
