import assert from "node:assert/strict";
import fc from "fast-check";
import { RankingQueries } from "../../src/actors/pools/RankingQueries.ts";
import type { Period } from "../../src/entities/pools/Pool.ts";
import { RANKING_PERIODS, type RankingPeriod } from "../../src/entities/pools/Ranking.ts";
import { dailyPoolsJob } from "../../src/schedulers/pools/dailyPoolsJob.ts";
import { rankingsJob } from "../../src/schedulers/pools/rankingsJob.ts";
import { SETTLED_MS } from "../../src/schedulers/pools/settled.ts";
import { runJob } from "../support/runJob.ts";
import { type AnEntry, at, DATABASES, type PoolWorld, useWorld } from "./poolWorld.ts";

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const HOUR_MS = 3_600_000;
const NEW_YORK = "America/New_York";

for (const [name, open] of Object.entries(DATABASES)) {
  describe(`rankings after the time zone was changed (${name})`, () => {
    let world: PoolWorld;
    useWorld(open, (made) => {
      world = made;
    });

    const count = () => runJob(rankingsJob({ ...world.ports, page: 3 }));
    const page = (period: RankingPeriod) =>
      new RankingQueries(world.ports).page("snake", period, { limit: 100, offset: 0, around: undefined });
    const shown = async (period: RankingPeriod) =>
      (await page(period)).rows.map(({ rank, playerId, score, entries }) => [rank, playerId, score, entries]);
    const poolsOpen = async () => (await world.operations.open()).filter(({ game }) => game === "snake");
    const leader = async (period: "daily" | "weekly") =>
      (await poolsOpen()).find((pool) => pool.period === period)!.leader?.playerId;

    /** Wednesday noon: a pool that ends by UTC, and an entry that a ranking by UTC has counted. */
    async function countedByUtc(): Promise<void> {
      world.now = at("2026-11-18T12:00:00Z");
      await world.contribute("5", { period: "weekly" });
      await world.enter({ player: "early", score: 10, storedAt: at("2026-11-18T11:00:00Z") });
      await count();
    }

    async function enterAndCount(player: string, score: number, zone: string): Promise<void> {
      world.timezone = zone;
      await world.enter({ player, score, storedAt: world.now });
      world.now += HOUR_MS;
      await count();
    }

    it("have what was counted of their day and week by the zone of before", async () => {
      await countedByUtc();
      await enterAndCount("ace", 999, NEW_YORK);
      const both = [
        [1, "ace", 999, 1],
        [2, "early", 10, 1],
      ];
      for (const period of RANKING_PERIODS) assert.deepEqual(await shown(period), both, period);
    });

    it("leave nothing out when the zone is changed back", async () => {
      await countedByUtc();
      await enterAndCount("ace", 999, NEW_YORK);
      await enterAndCount("early", 11, "UTC");
      const both = [
        [1, "ace", 999, 1],
        [2, "early", 11, 2],
      ];
      for (const period of RANKING_PERIODS) assert.deepEqual(await shown(period), both, period);
    });

    it("do not say who leads in a pool of the zone of before: its entries do", async () => {
      await countedByUtc();
      await enterAndCount("ace", 999, NEW_YORK);
      assert.equal(await leader("weekly"), "ace");
    });

    it("do not say who leads in a pool that ends later than they do", async () => {
      // Weeks of both zones begin at the same moment; the new one's ends an hour earlier, since summer time begins in it.
      world.now = at("2026-03-25T12:00:00Z");
      const { endsAt } = await world.contribute("5", { period: "weekly" });
      await world.enter({ player: "early", score: 10, storedAt: world.now - HOUR_MS });
      await count();
      world.timezone = "Europe/London";
      world.now = endsAt - 2 * HOUR_MS;
      await count();
      world.now = endsAt - HOUR_MS / 2;
      await world.enter({ player: "ace", score: 999, storedAt: world.now });
      world.now += HOUR_MS / 4;
      await count();
      assert.equal((await page("weekly")).startsAt, endsAt - HOUR_MS);
      assert.equal(await leader("weekly"), "ace");
    });

    it("agree with all entries, as do the leaders of pools, whenever the zone is changed", async function () {
      this.timeout(120_000);
      console.log(`      seed ${SEED} (replay: SEED=${SEED})`);
      const step = fc.record({
        zone: fc.constantFrom("UTC", "Europe/London", NEW_YORK, "Asia/Kolkata"),
        entries: fc.array(
          fc.record({
            player: fc.constantFrom("a", "b", "c"),
            score: fc.integer({ min: 0, max: 9 }),
            minutes: fc.integer({ min: 0, max: 60 }),
          }),
          { maxLength: 3 },
        ),
        contribute: fc.constantFrom(undefined, "daily" as const, "weekly" as const),
        hours: fc.integer({ min: 1, max: 40 }),
        runs: fc.constantFrom("rankings", "pools", "both"),
      });
      // Summer time begins in London on the 29th, a Sunday.
      const begin = fc.constantFrom(at("2026-03-25T12:00:00Z"), at("2026-03-28T20:00:00Z"));
      await fc.assert(
        fc.asyncProperty(begin, fc.array(step, { minLength: 2, maxLength: 7 }), async (from, steps) => {
          await world.clear();
          world.now = from;
          const entered: AnEntry[] = [];
          for (const { zone, entries, contribute, hours, runs } of steps) {
            world.timezone = zone;
            if (contribute) await world.contribute("1", { period: contribute });
            const made = entries.map(({ minutes, ...rest }) => ({ ...rest, storedAt: world.now + minutes * 60_000 }));
            await world.enter(...made);
            entered.push(...made);
            world.now += hours * HOUR_MS + 2 * SETTLED_MS;
            if (runs !== "rankings") await runJob(dailyPoolsJob(world.ports));
            if (runs !== "pools") await count();
            for (const pool of await poolsOpen())
              assert.deepEqual(pool.leader?.playerId, ranked(entered, pool)[0]?.[1], `${pool.period} ${pool.startsAt}`);
          }
          await count();
          for (const period of RANKING_PERIODS)
            assert.deepEqual(await shown(period), ranked(entered, await page(period)), period);
        }),
        { seed: SEED, numRuns: name === "SQLite" ? 30 : 8 },
      );
    });
  });
}

/** What a ranking of that time is to show: place, player, best score, and how many entries. */
function ranked(entries: readonly AnEntry[], { startsAt, endsAt }: Period): unknown[][] {
  const inTime = entries
    .filter(({ storedAt }) => storedAt >= startsAt && storedAt < endsAt)
    .map((entry, seq) => ({ ...entry, seq }))
    .sort((a, b) => b.score - a.score || a.storedAt - b.storedAt || a.seq - b.seq);
  const players = [...Map.groupBy(inTime, ({ player }) => player)];
  return players.map(([player, own], place) => [place + 1, player, own[0]!.score, own.length]);
}
