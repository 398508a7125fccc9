import assert from "node:assert/strict";
import { PoolQueries, type PoolQueriesPorts } from "../../src/actors/pools/PoolQueries.ts";
import { systemRng } from "../../src/clock.ts";
import { CommitUnknown } from "../../src/entities/failures.ts";
import { DATABASES, type PoolWorld, useWorld } from "./poolWorld.ts";

const SNAKE = { game: "snake", period: "daily" } as const;
const FIVE = { item: "TICO", amount: "5" };

for (const [name, open] of Object.entries(DATABASES)) {
  describe(`a contribution while the database gets lost (${name})`, () => {
    let world: PoolWorld;
    useWorld(open, (made) => {
      world = made;
    });

    const contribute = (database: PoolQueriesPorts["database"], requestId?: string) =>
      new PoolQueries({ ...world, database, rng: systemRng }).contribute(SNAKE, FIVE, { operatorId: "op", requestId });
    const inPool = async () =>
      (await world.operations.open()).find(({ game, period }) => game === "snake" && period === "daily")!.items;

    it("is of unknown outcome when nobody answers its commit, and by its key it is made once", async () => {
      const database = world.showing(() => world.now);
      const unanswered: PoolQueriesPorts["database"] = {
        ...database,
        async transaction(work) {
          await database.transaction(work);
          throw new CommitUnknown("the connection was lost during a commit");
        },
      };
      await assert.rejects(contribute(unanswered, "k"), { code: "outcome_unknown", message: /may have taken effect/ });
      const repeated = await contribute(unanswered, "k");
      assert.equal(repeated.amount, "5");
      assert.deepEqual(await inPool(), [FIVE]);
    });

    it("is answered once it is stored, whatever becomes of the database then", async () => {
      const database = world.showing(() => world.now);
      let isGone = false;
      const going: PoolQueriesPorts["database"] = {
        ...database,
        query: async (sql, params) => {
          if (isGone) throw Object.assign(new Error("Connection lost"), { code: "PROTOCOL_CONNECTION_LOST" });
          return database.query(sql, params);
        },
        async transaction(work) {
          const result = await database.transaction(work);
          isGone = true;
          return result;
        },
      };
      const { contributionId, startsAt, amount } = await contribute(going);
      assert.deepEqual([contributionId.length, startsAt <= world.now, amount], [12, true, "5"]);
      assert.deepEqual(await inPool(), [FIVE]);
    });
  });
}
