import assert from "node:assert/strict";
import fc from "fast-check";
import { systemRng } from "../../src/clock.ts";
import { type Award, LARGEST_AWARD, PrizeLedger, prizesOf } from "../../src/entities/prizes/PrizeLedger.ts";
import { LARGEST_HOLDING } from "../../src/entities/prizes/refusedAwards.ts";
import type { Database } from "../../src/entities/sql.ts";
import { openDatabase } from "../support/database.ts";
import { migratedDatabaseUrl } from "../support/migratedDatabase.ts";
import { rowsRead } from "../support/rowsRead.ts";
import { type Balance, balanced, loadBalances } from "./balances.ts";

const award = (playerId: string, amount: bigint, more: Partial<Award> = {}): Award => ({
  source: "hunt",
  sourceId: "h1",
  playerId,
  item: "TICO",
  amount,
  ...more,
});

const DATABASES = {
  SQLite: () => openDatabase({ kind: "sqlite", path: ":memory:" }),
  MariaDB: async () => openDatabase({ kind: "mysql", url: await migratedDatabaseUrl(), pool: 32 }),
};

for (const [name, open] of Object.entries(DATABASES)) {
  describe(`the prize ledger (${name})`, () => {
    let database: Database;
    let ledger: PrizeLedger;

    before(async function () {
      this.timeout(120_000);
      database = await open();
      ledger = new PrizeLedger(database, systemRng);
    });

    beforeEach(async () => {
      for (const table of ["awards", "inventories", "refused_awards"]) await database.write(`DELETE FROM ${table}`);
    });

    after(() => database?.close());

    const pay = (...awards: Award[]): Promise<number> => database.transaction((tx) => ledger.pay(tx, awards, 1));

    /** Has the player hold so much more of an item, as if it had been awarded. */
    const hold = async (playerId: string, amount: bigint, nth = 0): Promise<void> => {
      await database.write(
        `INSERT INTO awards (source, source_id, player_id, item, amount, batch, awarded_at) VALUES ('operator', 'x${nth}', ?, 'TICO', ?, 'b', 0)`,
        [playerId, String(amount)],
      );
      const { affected } = await database.write(
        `UPDATE inventories SET amount = amount + ${amount} WHERE player_id = ? AND item = 'TICO'`,
        [playerId],
      );
      if (affected === 0)
        await database.write("INSERT INTO inventories (player_id, item, amount) VALUES (?, 'TICO', ?)", [
          playerId,
          String(amount),
        ]);
    };

    it("adds an award to the inventory of its player", async () => {
      assert.equal(await pay(award("ada", 5n), award("ada", 1n, { item: "PRIVATE_PASS" }), award("bob", 7n)), 3);
      assert.deepEqual(await ledger.inventory("ada"), [
        { item: "PRIVATE_PASS", amount: "1" },
        { item: "TICO", amount: "5" },
      ]);
      assert.deepEqual(await ledger.inventory("nobody"), []);
    });

    it("pays a key once, alone or among new ones", async () => {
      await pay(award("ada", 5n));
      assert.equal(await pay(award("ada", 5n)), 0);
      assert.equal(await pay(award("ada", 5n), award("bob", 2n), award("ada", 3n, { sourceId: "h2" })), 2);
      assert.deepEqual(await ledger.inventory("ada"), [{ item: "TICO", amount: "8" }]);
    });

    it("keeps amounts exact beyond what a double holds", async () => {
      for (let at = 0; at < 20; at++) await pay(award("ada", LARGEST_AWARD - 1n, { sourceId: `h${at}` }));
      assert.deepEqual(await ledger.inventory("ada"), [{ item: "TICO", amount: String(20n * (LARGEST_AWARD - 1n)) }]);
      assert.deepEqual(await ledger.imbalances(), []);
    });

    it("pays nothing of a transaction that fails", async () => {
      const failing = database.transaction(async (tx) => {
        await ledger.pay(tx, [award("ada", 5n)], 1);
        throw new Error("after the payment");
      });
      await assert.rejects(failing, /after the payment/);
      assert.deepEqual(await ledger.inventory("ada"), []);
      assert.equal(await pay(award("ada", 5n)), 1);
    });

    it("refuses unknown items and amounts that are none, before anything is paid", async () => {
      await assert.rejects(pay(award("ada", 5n), award("ada", 1n, { item: "GOLD" })), { code: "not_found" });
      await assert.rejects(pay(award("ada", 0n)), { code: "invalid_payload" });
      await assert.rejects(pay(award("ada", LARGEST_AWARD + 1n)), { code: "invalid_payload" });
      assert.deepEqual(await ledger.inventory("ada"), []);
    });

    it("refuses an award that would overflow an inventory, that one alone, and notes it", async () => {
      const most = LARGEST_HOLDING - 7n;
      await hold("ada", most);
      const refused: Award[] = [];
      const awards = [award("ada", 8n), award("bob", 5n), award("ada", 3n, { sourceId: "h2" })];
      const paid = await database.transaction((tx) => ledger.pay(tx, awards, 1, (each) => refused.push(each)));
      assert.equal(paid, 2);
      assert.deepEqual(refused, [award("ada", 8n)]);
      assert.deepEqual(await ledger.inventory("ada"), [{ item: "TICO", amount: String(most + 3n) }]);
      assert.deepEqual(await ledger.inventory("bob"), [{ item: "TICO", amount: "5" }]);
      assert.deepEqual(await ledger.refused(10), [{ ...award("ada", 8n), amount: "8", refusedAt: 1 }]);
      assert.deepEqual(await ledger.imbalances(), []);
    });

    it("refuses again what it has refused until there is room, and then pays it once", async () => {
      await hold("ada", LARGEST_HOLDING);
      for (let at = 0; at < 2; at++) assert.equal(await pay(award("ada", 8n)), 0);
      assert.equal((await ledger.refused(10)).length, 1);
      await database.write("DELETE FROM awards");
      await database.write("DELETE FROM inventories");
      for (const paid of [1, 0]) assert.equal(await pay(award("ada", 8n)), paid);
      assert.deepEqual(await ledger.inventory("ada"), [{ item: "TICO", amount: "8" }]);
      assert.deepEqual(await ledger.refused(10), []);
    });

    it("does not refuse what has been paid, nor count it as room", async () => {
      await pay(award("ada", 8n));
      await hold("ada", LARGEST_HOLDING - 8n, 1);
      const refused: Award[] = [];
      await database.transaction((tx) => ledger.pay(tx, [award("ada", 8n)], 1, (each) => refused.push(each)));
      assert.deepEqual(refused, []);
      assert.deepEqual(await ledger.inventory("ada"), [{ item: "TICO", amount: String(LARGEST_HOLDING) }]);
    });

    it("keeps an inventory within its bound, however many awards of how much come at once", async () => {
      await hold("ada", LARGEST_HOLDING - 250n * LARGEST_AWARD);
      const awards = Array.from({ length: 600 }, (_, at) => award("ada", LARGEST_AWARD, { sourceId: `h${at}` }));
      assert.equal(await pay(...awards), 250);
      assert.deepEqual(await ledger.inventory("ada"), [{ item: "TICO", amount: String(LARGEST_HOLDING) }]);
      assert.equal((await ledger.refused(1000)).length, 350);
      assert.deepEqual(await ledger.imbalances(), []);
    });

    it("pays each award once when several payers pay the same at once", async () => {
      const awards = Array.from({ length: 50 }, (_, at) =>
        award(`p${at % 10}`, BigInt(at + 1), { sourceId: `h${at}` }),
      );
      const paid = await Promise.all(
        Array.from({ length: 6 }, (_, at) => pay(...(at % 2 ? awards : awards.toReversed()))),
      );
      assert.equal(
        paid.reduce((sum, count) => sum + count, 0),
        50,
      );
      assert.deepEqual(await ledger.imbalances(), []);
    });

    it("finds an inventory that is not the sum of its awards", async () => {
      await pay(award("ada", 5n), award("bob", 2n));
      await database.write("UPDATE inventories SET amount = 6 WHERE player_id = 'ada'");
      assert.deepEqual(await ledger.imbalances(), [{ playerId: "ada", item: "TICO", awarded: "5", held: "6" }]);
    });

    it("finds them among any number of players, also of those who were awarded nothing or hold nothing", async () => {
      const wrong: Balance[] = [
        { player: "a", held: 2 },
        { player: "p000999", awarded: 1, held: 3 },
        { player: "p001000", awarded: 4 },
        { player: "p002499", held: 5 },
        { player: "q", awarded: 6 },
      ];
      const right = balanced(2500).filter(({ player }) => !wrong.some((each) => each.player === player));
      await loadBalances(database, [...right, ...wrong]);
      const expected = wrong.map(({ player, awarded = 0, held = 0 }) => ({
        ...{ playerId: player, item: "TICO", awarded: String(awarded), held: String(held) },
      }));
      const found = (await ledger.imbalances()).toSorted((a, b) => (a.playerId < b.playerId ? -1 : 1));
      assert.deepEqual(found, expected);
      assert.equal((await ledger.imbalances(3)).length, 3);
    });

    if (name === "MariaDB") {
      it("is checked by reading twice as many rows for twice as many players", async () => {
        const readFor = async (players: number): Promise<number> => {
          await database.write("DELETE FROM awards");
          await database.write("DELETE FROM inventories");
          await loadBalances(database, balanced(players));
          for (const table of ["awards", "inventories"]) await database.query(`ANALYZE TABLE ${table}`);
          return rowsRead(database, async (within) => {
            assert.deepEqual(await new PrizeLedger(within, systemRng).imbalances(), []);
          });
        };
        const [once, twice] = [await readFor(10_000), await readFor(20_000)];
        assert.ok(twice < 2.1 * once, `${once} rows for 10,000 players, ${twice} for 20,000`);
      });
    }

    it("balances after any payments, repeated in any order", async () => {
      const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
      console.log(`      seed ${seed} (replay: SEED=${seed})`);
      const payment = fc.record({
        sourceId: fc.constantFrom("a", "b", "c"),
        playerId: fc.constantFrom("p1", "p2", "p3"),
        item: fc.constantFrom("TICO", "PRIVATE_PASS"),
        amount: fc.bigInt(1n, LARGEST_AWARD),
      });
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(payment, { minLength: 1, maxLength: 8 }), { maxLength: 6 }),
          async (batches) => {
            await database.write("DELETE FROM awards");
            await database.write("DELETE FROM inventories");
            for (const batch of batches) await pay(...batch.map((each) => award(each.playerId, each.amount, each)));
            assert.deepEqual(await ledger.imbalances(), []);
            const keys = new Set(
              batches.flat().map(({ sourceId, playerId, item }) => `${sourceId} ${playerId} ${item}`),
            );
            const [row] = await database.query<{ count: number }>("SELECT COUNT(*) AS count FROM awards");
            assert.equal(Number(row!.count), keys.size);
          },
        ),
        { seed, numRuns: 30 },
      );
    });
  });
}

describe("prizes by rank", () => {
  const ranges = [
    { from: 1, to: 1, items: [{ item: "PRIVATE_PASS", amount: "1" }] },
    { from: 1, to: 3, items: [{ item: "TICO", amount: "100" }] },
  ];

  it("gives a rank everything whose range it is in", () => {
    assert.deepEqual(
      prizesOf(1, ranges).map(({ item }) => item),
      ["PRIVATE_PASS", "TICO"],
    );
    assert.deepEqual(
      prizesOf(3, ranges).map(({ item }) => item),
      ["TICO"],
    );
    assert.deepEqual(prizesOf(4, ranges), []);
  });
});
