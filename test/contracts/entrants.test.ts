import assert from "node:assert/strict";
import { Entrants } from "../../src/actors/tournaments/Entrants.ts";
import type { Database } from "../../src/entities/sql.ts";
import { ManualClock, silentLog } from "../actors/simulation.ts";
import { DATABASES } from "../hunts/ledgerJournals.ts";
import { until } from "../support/processes.ts";

for (const { name, open } of DATABASES) {
  describe(`who joined tournaments (${name})`, function () {
    this.timeout(60_000);
    let database: Database;
    let clock: ManualClock;

    before(async () => {
      database = await open();
    });
    after(() => database.close());
    beforeEach(async () => {
      clock = new ManualClock();
      await database.write("DELETE FROM tournament_entrants");
    });

    const entrants = (ports: Partial<ConstructorParameters<typeof Entrants>[0]> = {}) =>
      new Entrants({ database, clock, log: silentLog, ...ports });
    const stored = async (): Promise<string[]> =>
      (
        await database.query<Record<"tournament_id" | "player_id" | "joined_at", unknown>>(
          "SELECT tournament_id, player_id, joined_at FROM tournament_entrants ORDER BY tournament_id, player_id",
        )
      ).map(({ tournament_id, player_id, joined_at }) => `${tournament_id} ${player_id} ${joined_at}`);

    it("is known on every node once it is stored, by the first time", async () => {
      const [here, elsewhere] = [entrants(), entrants()];
      here.note({ tournamentId: "t", playerId: "ann", joinedAt: 5 });
      assert.equal(await here.joinedAt("t", "ann"), 5, "also before it is");
      await here.close();
      elsewhere.note({ tournamentId: "t", playerId: "ann", joinedAt: 9 });
      await elsewhere.close();
      assert.deepEqual(await stored(), ["t ann 5"]);
      const asked = [
        ["t", "ann"],
        ["t", "bob"],
        ["u", "ann"],
      ] as const;
      assert.deepEqual(
        await Promise.all(asked.map(([tournamentId, playerId]) => elsewhere.joinedAt(tournamentId, playerId))),
        [5, undefined, undefined],
      );
    });

    let transactions: number;
    const counting = {
      query: (...statement: Parameters<Database["query"]>) => database.query(...statement),
      transaction: <T>(work: Parameters<typeof database.transaction<T>>[0]): Promise<T> => {
        transactions += 1;
        return database.transaction(work);
      },
    } as Pick<Database, "query" | "transaction">;

    it("is stored in few transactions, however many join one after another", async () => {
      transactions = 0;
      const node = entrants({ database: counting });
      for (let n = 0; n < 90; n += 1) {
        node.note({ tournamentId: "t", playerId: `p${n}`, joinedAt: 1 });
        await clock.advance(1);
      }
      assert.equal(transactions, 0, "for a tenth of a second");
      await clock.advance(10);
      await until(async () => (await stored()).length === 90, { what: "all are stored", timeoutMs: 10_000 });
      assert.equal(transactions, 1);
    });

    it("is stored in few transactions, however many join together on two nodes", async () => {
      transactions = 0;
      const nodes = [entrants({ database: counting }), entrants({ database: counting })];
      for (let n = 0; n < 2000; n += 1)
        for (const [at, node] of nodes.entries())
          node.note({ tournamentId: "t", playerId: `p${at === 0 ? n : 1999 - n}`, joinedAt: 1 });
      await Promise.all(nodes.map((node) => node.close()));
      assert.equal((await stored()).length, 2000);
      assert.ok(transactions <= 20, `${transactions} transactions`);
    });

    it("is stored as soon as the database takes it again", async () => {
      let isAway = true;
      let tries = 0;
      const flaky = {
        query: database.query.bind(database),
        transaction: <T>(work: Parameters<typeof database.transaction<T>>[0]): Promise<T> => {
          tries += 1;
          return isAway ? Promise.reject(new Error("away")) : database.transaction(work);
        },
      };
      const node = entrants({ database: flaky });
      node.note({ tournamentId: "t", playerId: "ann", joinedAt: 5 });
      await clock.advance(2500);
      assert.equal(tries, 3, "once a second");
      assert.equal(await node.joinedAt("t", "ann"), 5);
      isAway = false;
      await clock.advance(1000);
      await until(async () => (await stored()).length === 1, { what: "it is stored", timeoutMs: 10_000 });
      isAway = true;
      node.note({ tournamentId: "t", playerId: "bob", joinedAt: 5 });
      await node.close();
      assert.deepEqual(await stored(), ["t ann 5"], "who leaves tries once, and is held up no longer");
    });

    it("rejects with unavailable when the database cannot say", async () => {
      const away = {
        query: () => Promise.reject(Object.assign(new Error("away"), { code: "ECONNRESET" })),
        transaction: database.transaction.bind(database),
      };
      await assert.rejects(entrants({ database: away }).joinedAt("t", "ann"), { code: "unavailable" });
    });
  });
}
