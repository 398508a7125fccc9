import assert from "node:assert/strict";
import { PoolQueries } from "../../src/actors/pools/PoolQueries.ts";
import { systemRng } from "../../src/clock.ts";
import { databaseTime } from "../../src/entities/databaseTime.ts";
import { dailyPoolsJob } from "../../src/schedulers/pools/dailyPoolsJob.ts";
import { rankingsJob } from "../../src/schedulers/pools/rankingsJob.ts";
import { SETTLED_MS } from "../../src/schedulers/pools/settled.ts";
import { weeklyDrawJob } from "../../src/schedulers/pools/weeklyDrawJob.ts";
import { weeklyPoolsJob } from "../../src/schedulers/pools/weeklyPoolsJob.ts";
import type { Job } from "../../src/schedulers/runtime/defineJob.ts";
import { MOST_AHEAD_MS } from "../../src/schedulers/runtime/notAhead.ts";
import { runJob } from "../support/runJob.ts";
import { at, DATABASES, type PoolWorld, useWorld } from "./poolWorld.ts";

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
const SNAKE = { game: "snake", period: "daily" } as const;
const FIVE = { item: "TICO", amount: "5" };
const JOBS = [dailyPoolsJob, weeklyPoolsJob, rankingsJob, weeklyDrawJob];

for (const [name, open] of Object.entries(DATABASES)) {
  describe(`a node whose clock is ahead of the database's (${name})`, () => {
    let world: PoolWorld;
    useWorld(open, (made) => {
      world = made;
    });

    /** By the database's own clock. */
    const ports = () => ({ ...world.ports, databaseNow: undefined });
    const closed = async () => {
      const counts = ["pools", "draws", "ranking_marks"].map((table) => world.count(table));
      return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
    };
    const dueAt = (job: Job, scheduledAt: number): Job => ({
      ...job,
      run: (context) => job.run({ ...context, scheduledAt }),
    });

    it("is measured by what that shows", async () => {
      const before = Date.now();
      const told = await databaseTime(world.database);
      assert.ok(before <= told && told <= Date.now(), `${told} is not about ${before}`);
    });

    for (const make of JOBS) {
      it(`closes nothing of the future by ${make.name}, and fails`, async () => {
        world.now = Date.now() + 2 * WEEK_MS;
        await world.enter({ player: "ada", score: 1, storedAt: Date.now() - WEEK_MS });
        await assert.rejects(runJob(make(ports())), /nothing is done: .* ahead of the database's clock/);
        assert.equal(await closed(), 0);
        world.now = Date.now();
        await runJob(make(ports()));
        assert.notEqual(await closed(), 0);
      });
    }

    for (const make of [dailyPoolsJob, weeklyPoolsJob, weeklyDrawJob]) {
      it(`has run ${make.name} too early: another node closes nothing either`, async () => {
        world.now = Date.now();
        await assert.rejects(runJob(dueAt(make(ports()), world.now + 2 * WEEK_MS)), /nothing is done/);
        assert.equal(await closed(), 0);
      });
    }

    it("closes what is over by both clocks while it is ahead by little", async () => {
      const midnight = Date.parse("2026-11-22T00:00:00Z");
      world.now = midnight + SETTLED_MS;
      const shown = world.now - MOST_AHEAD_MS;
      assert.ok(shown > midnight);
      await runJob(dailyPoolsJob({ ...world.ports, databaseNow: async () => shown }));
      await assert.rejects(runJob(dailyPoolsJob({ ...world.ports, databaseNow: async () => shown - 1 })));
      assert.notEqual(await world.count("pools"), 0);
    });
  });

  describe(`which pool is open, on a node whose clock is wrong (${name})`, () => {
    const MIDNIGHT = at("2026-11-22T00:00:00Z");
    let world: PoolWorld;
    useWorld(open, (made) => {
      world = made;
    });

    const call = { operatorId: "op", requestId: undefined };
    /** Where a contribution goes, and what is shown, by a node's clock and the database's. */
    const openBy = async (now: number, databaseNow: number): Promise<[contributed: number, shown: number]> => {
      world.now = now;
      const operations = world.officeBy(() => databaseNow);
      const { startsAt } = await operations.contribute(SNAKE, FIVE, call);
      const shown = (await operations.open()).find(({ game, period }) => game === "snake" && period === "daily")!;
      return [startsAt, shown.startsAt];
    };

    for (const [what, skewMs] of [
      ["a year ahead", 365 * DAY_MS],
      ["a minute ahead", 60_000],
      ["a minute behind", -60_000],
      ["a year behind", -365 * DAY_MS],
    ] as const)
      it(`is what the database's clock says: ${what}`, async () => {
        const yesterday = MIDNIGHT - DAY_MS;
        assert.deepEqual(await openBy(MIDNIGHT - 30_000 + skewMs, MIDNIGHT - 30_000), [yesterday, yesterday]);
        world.now = MIDNIGHT + SETTLED_MS;
        await runJob(dailyPoolsJob(world.ports));
        assert.deepEqual(await openBy(MIDNIGHT + 30_000 + skewMs, MIDNIGHT + 30_000), [MIDNIGHT, MIDNIGHT]);
      });

    it("is found by the database itself", async () => {
      const { clock, database, timezone } = world;
      world.now = Date.now() + 365 * DAY_MS;
      const operations = new PoolQueries({ clock, database, timezone, rng: systemRng });
      const { startsAt, endsAt } = await operations.contribute(SNAKE, FIVE, call);
      assert.ok(startsAt <= Date.now() && Date.now() < endsAt + DAY_MS);
      const shown = (await operations.open()).find(({ game, period }) => game === "snake" && period === "daily")!;
      assert.deepEqual(shown.items, [FIVE]);
    });
  });

  describe(`a pool that has been made in the future (${name})`, () => {
    const DAY = at("2026-11-21T00:00:00Z");
    const LATER = DAY + 30 * DAY_MS;
    let world: PoolWorld;
    useWorld(open, (made) => {
      world = made;
    });
    beforeEach(async () => {
      world.now = LATER + 1;
      await world.contribute("1");
      world.now = DAY + 1;
    });

    const openNow = async () =>
      (await world.operations.open()).find(({ game, period }) => game === "snake" && period === "daily")!;
    const finalise = () => runJob(dailyPoolsJob(world.ports));

    it("leaves open the one of today, which is contributed to, shown and paid", async () => {
      assert.equal((await world.contribute("5")).startsAt, DAY);
      const { startsAt, endsAt, items } = await openNow();
      assert.deepEqual([startsAt, endsAt, items], [DAY, DAY + DAY_MS, [FIVE]]);
      await world.enter({ player: "ada", score: 1, storedAt: DAY + 1 });
      world.now = DAY + DAY_MS + SETTLED_MS;
      await finalise();
      assert.deepEqual(await world.inventory("ada"), [FIVE]);
      assert.equal((await world.contribute("5")).startsAt, DAY + DAY_MS);
    });

    it("is open when its time has come, with what is in it, and what nobody won before", async () => {
      await world.contribute("5");
      world.now = LATER;
      await finalise();
      const { startsAt, items } = await openNow();
      assert.deepEqual([startsAt, items], [LATER, [{ item: "TICO", amount: "6" }]]);
      await world.enter({ player: "ada", score: 1, storedAt: LATER });
      world.now = LATER + DAY_MS + SETTLED_MS;
      await finalise();
      assert.deepEqual(await world.inventory("ada"), [{ item: "TICO", amount: "6" }]);
    });
  });
}
