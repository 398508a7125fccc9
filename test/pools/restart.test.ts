import assert from "node:assert/strict";
import { dailyPoolsJob } from "../../src/schedulers/pools/dailyPoolsJob.ts";
import { JobCluster } from "../schedulers/simulatedJobs.ts";
import { PoolWorld } from "./poolWorld.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

describe("pools while nodes come and go (simulated cluster)", () => {
  it("are finalised after a restart when no node lived at midnight, and once by the nodes that live at one", async () => {
    const cluster = await JobCluster.open();
    const world = new PoolWorld(cluster.database);
    const start = (id: string) =>
      cluster.start(id, [
        {
          ...dailyPoolsJob(world.ports),
          timezone: "UTC",
          run: (context, { clock }) =>
            dailyPoolsJob({ ...world.ports, clock, databaseNow: async () => cluster.clock.now() }).run(context),
        },
      ]);
    const winners = async (): Promise<string[]> => {
      const { operations } = world;
      const pools = await operations.finalised({ game: "snake", period: "daily" }, 10);
      return pools.map(({ winner }) => winner?.playerId ?? "nobody");
    };
    try {
      await world.tournament("open");
      await cluster.advanceTo(DAY_MS, -MINUTE_MS);
      const node = await start("a");
      const day = cluster.clock.now();
      world.now = day;
      await world.contribute("5");
      await world.enter({ player: "ada", score: 1, storedAt: day });
      await node.crash();
      await cluster.clock.advance(20 * MINUTE_MS);
      assert.deepEqual(await winners(), []);

      const nodes = await Promise.all([start("b"), start("c")]);
      await cluster.clock.advance(MINUTE_MS);
      assert.deepEqual(await winners(), ["ada"]);
      assert.deepEqual(await world.inventory("ada"), [{ item: "TICO", amount: "5" }]);

      await world.enter({ player: "bob", score: 1, storedAt: cluster.clock.now() });
      for (const each of nodes) await each.crash();
      await cluster.advanceTo(DAY_MS, -MINUTE_MS);
      await Promise.all([start("d"), start("e")]);
      await cluster.advanceTo(DAY_MS, 5000);
      assert.deepEqual(await winners(), ["ada"], "the day has not been over for long enough");
      await cluster.clock.advance(6000);
      assert.deepEqual(await winners(), ["bob", "ada"]);
      const outcomes = (await cluster.runs("daily-pools")).map(({ outcome }) => outcome);
      assert.deepEqual(outcomes, ["succeeded", "succeeded"]);
    } finally {
      await cluster.close();
    }
  }).timeout(120_000);
});
