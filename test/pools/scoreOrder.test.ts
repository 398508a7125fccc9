import assert from "node:assert/strict";
import { RankingQueries } from "../../src/actors/pools/RankingQueries.ts";
import { insertGame } from "../../src/entities/tournaments/Game.ts";
import { dailyPoolsJob } from "../../src/schedulers/pools/dailyPoolsJob.ts";
import { rankingsJob } from "../../src/schedulers/pools/rankingsJob.ts";
import { SETTLED_MS } from "../../src/schedulers/pools/settled.ts";
import { weeklyPoolsJob } from "../../src/schedulers/pools/weeklyPoolsJob.ts";
import { runJob } from "../support/runJob.ts";
import { at, DATABASES, type PoolWorld, useWorld } from "./poolWorld.ts";

const DAY_MS = 86_400_000;
const DAY = at("2026-11-21T00:00:00Z");
const RACE = { game: "race", period: "daily" } as const;

for (const [name, open] of Object.entries(DATABASES)) {
  describe(`a game in which less is better (${name})`, () => {
    let world: PoolWorld;
    useWorld(open, (made) => {
      world = made;
    });
    before(async () => {
      const bounds = { minScore: 0, maxScore: 1000, submissionsPerMinute: 60, runs: "optional" } as const;
      await insertGame(world.database, { id: "race", name: "Race", precision: 2, order: "asc", ...bounds }, 0);
    });
    beforeEach(async () => {
      world.now = DAY + 1000;
      await runJob(weeklyPoolsJob(world.ports));
      await world.tournament("laps", "open", "race");
      await world.contribute("5", { game: "race" });
    });

    /** Scores in units of a hundredth. */
    const lap = (player: string, score: number, after: number) =>
      world.enter({ game: "race", tournament: "laps", player, score, storedAt: DAY + after });
    const leader = async () =>
      (await world.operations.open()).find(({ game, period }) => game === RACE.game && period === RACE.period)!.leader;
    const ranked = async () => {
      const operations = new RankingQueries({ ...world.ports, timezone: "UTC" });
      const page = await operations.page("race", "daily", { limit: 10, offset: 0, around: undefined }, DAY);
      return page.rows.map(({ playerId, score, entries }) => [playerId, score, entries]);
    };
    const count = async () => {
      world.now = DAY + 600_000;
      await runJob(rankingsJob(world.ports));
    };

    it("crowns the smallest of a day, and of equal ones the first", async () => {
      await lap("slow", 9000, 1);
      await lap("zoe", 4210, 5);
      await lap("ada", 4210, 6);
      await lap("slow", 8000, 7);
      assert.deepEqual(await leader(), { playerId: "zoe", name: "zoe", score: 42.1 });
      world.now = DAY + DAY_MS + SETTLED_MS;
      await runJob(dailyPoolsJob(world.ports));
      const [pool] = await world.operations.finalised(RACE, 1);
      assert.deepEqual([pool!.winner?.playerId, pool!.winner?.score], ["zoe", 42.1]);
      assert.deepEqual(await world.inventory("zoe"), [{ item: "TICO", amount: "5" }]);
    });

    it("ranks the smallest first, by each player's smallest", async () => {
      await lap("ada", 5000, 1);
      await lap("bob", 4000, 2);
      await count();
      await lap("ada", 3000, 600_001);
      await lap("bob", 6000, 600_002);
      await lap("cid", 0, 600_003);
      world.now = DAY + 1_200_000;
      await runJob(rankingsJob(world.ports));
      assert.deepEqual(await ranked(), [
        ["cid", 0, 1],
        ["ada", 30, 2],
        ["bob", 40, 2],
      ]);
    });

    it("has who leads by what is counted and by what came since", async () => {
      await lap("ada", 5000, 1);
      await count();
      assert.equal((await leader())?.score, 50);
      world.now += 5000;
      await lap("bob", 7000, 600_001);
      assert.equal((await leader())?.playerId, "ada");
      world.now += 5000;
      await lap("cid", 4000, 600_002);
      assert.deepEqual(await leader(), { playerId: "cid", name: "cid", score: 40 });
    });

    it("leaves the others as they are", async () => {
      await world.enter(
        { player: "low", score: 1, storedAt: DAY + 1 },
        { player: "high", score: 2, storedAt: DAY + 2 },
      );
      const pools = await world.operations.open();
      assert.equal(pools.find(({ game }) => game === "snake")!.leader!.playerId, "high");
    });
  });
}
