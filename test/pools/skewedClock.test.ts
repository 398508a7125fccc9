import assert from "node:assert/strict";
import { databaseTime } from "../../src/entities/databaseTime.ts";
import { dailyPoolsJob } from "../../src/schedulers/pools/dailyPoolsJob.ts";
import { MOST_AHEAD_MS } from "../../src/schedulers/pools/notAhead.ts";
import { rankingsJob } from "../../src/schedulers/pools/rankingsJob.ts";
import { SETTLED_MS } from "../../src/schedulers/pools/settled.ts";
import { weeklyDrawJob } from "../../src/schedulers/pools/weeklyDrawJob.ts";
import { weeklyPoolsJob } from "../../src/schedulers/pools/weeklyPoolsJob.ts";
import type { Job } from "../../src/schedulers/runtime/defineJob.ts";
import { runJob } from "../support/runJob.ts";
import { DATABASES, PoolWorld } from "./poolWorld.ts";

const WEEK_MS = 7 * 86_400_000;
const JOBS = [dailyPoolsJob, weeklyPoolsJob, rankingsJob, weeklyDrawJob];

for (const [name, open] of Object.entries(DATABASES)) {
  describe(`a node whose clock is ahead of the database's (${name})`, () => {
    let world: PoolWorld;

    before(async function () {
      this.timeout(120_000);
      world = new PoolWorld(await open());
    });
    beforeEach(() => world.clear());
    after(() => world?.database.close());

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
        await assert.rejects(runJob(make(ports())), /nothing is closed: .* ahead of the database's clock/);
        assert.equal(await closed(), 0);
        world.now = Date.now();
        await runJob(make(ports()));
        assert.notEqual(await closed(), 0);
      });
    }

    for (const make of [dailyPoolsJob, weeklyPoolsJob, weeklyDrawJob]) {
      it(`has run ${make.name} too early: another node closes nothing either`, async () => {
        world.now = Date.now();
        await assert.rejects(runJob(dueAt(make(ports()), world.now + 2 * WEEK_MS)), /nothing is closed/);
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
}
