import assert from "node:assert/strict";
import { systemRng } from "../../src/clock.ts";
import { PrizeLedger } from "../../src/entities/prizes/PrizeLedger.ts";
import type { Sql } from "../../src/entities/sql.ts";
import { prizeCheckJob } from "../../src/schedulers/prizes/prizeCheckJob.ts";
import { openDatabase } from "../support/database.ts";
import { runJob } from "../support/runJob.ts";
import { balanced, loadBalances } from "./balances.ts";

describe("the nightly check of the prize ledger", () => {
  it("succeeds when every inventory is the sum of its awards", async () => {
    const job = prizeCheckJob({ imbalances: async () => [], refused: async () => [] });
    assert.deepEqual((await runJob(job)).result, { imbalances: 0 });
  });

  it("tells of awards that were refused", async () => {
    const award = { source: "hunt", sourceId: "h", playerId: "ada", item: "TICO", amount: "5", refusedAt: 1 } as const;
    const job = prizeCheckJob({ imbalances: async () => [], refused: async () => [award] });
    assert.deepEqual((await runJob(job)).result, { imbalances: 0, refused: [award] });
  });

  it("fails, naming player, item and both sums, when one is not", async () => {
    const job = prizeCheckJob({
      imbalances: async () => [{ playerId: "ada", item: "TICO", awarded: "5", held: "6" }],
      refused: async () => [],
    });
    await assert.rejects(runJob(job), /ada holds 6 TICO, and was awarded 5/);
  });

  it("begins no further page once its run is given up", async () => {
    const database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    try {
      await loadBalances(database, balanced(3000));
      const abort = new AbortController();
      const begunBehind = new Set<unknown>();
      const givenUpAtOnce: Sql = {
        dialect: database.dialect,
        async query<T>(sql: string, params: readonly unknown[] = []) {
          begunBehind.add(params[0]);
          abort.abort(new Error("given up"));
          return database.query<T>(sql, params);
        },
        write: (sql, params) => database.write(sql, params),
      };
      const job = prizeCheckJob(new PrizeLedger(givenUpAtOnce, systemRng));
      await assert.rejects(runJob(job, { signal: abort.signal }), /given up/);
      assert.deepEqual([...begunBehind], [""]);
    } finally {
      await database.close();
    }
  });
});
