import assert from "node:assert/strict";
import { nextDue } from "../../src/actors/runtime/schedule.ts";
import { seededRng } from "../../src/clock.ts";
import type { Transaction } from "../../src/entities/sql.ts";
import { dailyPoolsJob } from "../../src/schedulers/pools/dailyPoolsJob.ts";
import type { PoolsJobPorts } from "../../src/schedulers/pools/finalising.ts";
import { SETTLED_MS } from "../../src/schedulers/pools/settled.ts";
import { weeklyPoolsJob } from "../../src/schedulers/pools/weeklyPoolsJob.ts";
import type { Job } from "../../src/schedulers/runtime/defineJob.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { runJob } from "../support/runJob.ts";
import { at, DATABASES, type PoolWorld, useWorld } from "./poolWorld.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NEW_YORK = "America/New_York";

for (const [name, open] of Object.entries(DATABASES)) {
  describe(`pools whose end is by the time zone of before (${name})`, () => {
    let world: PoolWorld;
    useWorld(open, (made) => {
      world = made;
    });

    /** Runs both jobs whenever they are due by the world's zone, up to the end of that time. */
    async function runWhenDue(from: number, until: number): Promise<void> {
      const dueTimes = (job: Job) => {
        const due: number[] = [];
        for (let time = from; time <= until; due.push(time))
          time = nextDue({ schedule: job.schedule, timezone: job.timezone! }, time, seededRng(1))!;
        return due.slice(0, -1).map((time) => ({ time, job }));
      };
      const { ports } = world;
      const runs = [dailyPoolsJob(ports), weeklyPoolsJob(ports)].flatMap(dueTimes);
      for (const { time, job } of runs.sort((a, b) => a.time - b.time)) {
        world.now = Math.max(world.now, time);
        await runJob({ ...job, run: (context) => job.run({ ...context, scheduledAt: time }) });
      }
      world.now = until;
    }

    it("go on from each other when the time zone is changed: no entry counts twice, or never", async () => {
      const day = at("2026-11-21T00:00:00Z");
      world.now = day + 12 * HOUR_MS;
      world.timezone = "Asia/Tokyo";
      await world.contribute("5");
      await world.enter({ player: "ada", score: 1, storedAt: day + 13 * HOUR_MS });
      world.timezone = "UTC";
      world.now = day + 16 * HOUR_MS;
      await world.contribute("6");
      await world.enter({ player: "bob", score: 2, storedAt: world.now });
      world.now = day + DAY_MS + HOUR_MS;
      await runJob(dailyPoolsJob(world.ports));
      assert.deepEqual(
        (await world.operations.finalised({ game: "snake", period: "daily" }, 100)).map(
          ({ startsAt, endsAt, winner, paid }) => [(endsAt - startsAt) / HOUR_MS, winner?.playerId, paid],
        ),
        [
          [9, "bob", [{ item: "TICO", amount: "6" }]],
          [24, "ada", [{ item: "TICO", amount: "5" }]],
        ],
      );
    });

    it("wait, each by its own end, until what was stored in their time is there", async () => {
      world.now = at("2026-11-20T12:00:00Z");
      const { endsAt } = await world.contribute("5");
      world.timezone = NEW_YORK;
      world.now = endsAt + 1000;
      // Their transactions end while the job waits.
      const late = async () => {
        await world.enter({ player: "ada", score: 1, storedAt: endsAt - 1 });
        await world.enter({ player: "bob", score: 2, storedAt: endsAt });
      };
      const schedule: PoolsJobPorts["clock"]["schedule"] = (resolve, ms) =>
        world.clock.schedule(() => void late().then(resolve), ms);
      await runJob(dailyPoolsJob({ ...world.ports, clock: { now: world.clock.now, schedule } }));
      assert.deepEqual(world.waits, [SETTLED_MS - 1000]);
      assert.deepEqual(await world.inventory("ada"), [{ item: "TICO", amount: "5" }]);
    });

    if (name === "MariaDB") {
      it("wait for the commits that are under way once their end is long enough ago", async () => {
        world.now = at("2026-11-20T12:00:00Z");
        const { endsAt } = await world.contribute("5");
        world.timezone = NEW_YORK;
        world.now = endsAt + 1000;
        // It locks its tournament's row while the job waits, and commits when the job waits for it.
        const storing = Promise.withResolvers<Transaction>();
        const begin = async () => {
          const tx = await world.database.begin();
          await tx.query("SELECT id FROM tournaments WHERE id = 'open' LOCK IN SHARE MODE");
          await world.enterBy(tx, [{ player: "ada", score: 1, storedAt: endsAt - 1 }]);
          storing.resolve(tx);
        };
        const schedule: PoolsJobPorts["clock"]["schedule"] = (resolve, ms) =>
          world.clock.schedule(() => void begin().then(resolve), ms);
        const run = runJob(dailyPoolsJob({ ...world.ports, clock: { now: world.clock.now, schedule } }));
        const tx = await Promise.race([storing.promise, run.then(() => assert.fail("it has waited for nothing"))]);
        const waiting =
          "SELECT 1 FROM information_schema.processlist WHERE info LIKE 'SELECT id FROM tournaments%FOR UPDATE'";
        // By the transaction itself, which MariaDB would end were it idle.
        const isAwaited = async () => (await tx.query(waiting))[0];
        await until(isAwaited, { timeoutMs: DEADLINE_MS, what: "the run waits for the entry" });
        await tx.commit();
        await run;
        assert.deepEqual(await world.inventory("ada"), [{ item: "TICO", amount: "5" }]);
      });
    }

    for (const [before, after, end] of [
      [NEW_YORK, "UTC", "2026-11-23T05:00:00Z"],
      ["UTC", NEW_YORK, "2026-11-23T00:00:00Z"],
      ["Asia/Tokyo", NEW_YORK, "2026-11-22T15:00:00Z"],
      ["America/Los_Angeles", "Asia/Tokyo", "2026-11-23T08:00:00Z"],
    ] as const) {
      it(`are paid within a day of it, weeks too (from ${before} to ${after})`, async () => {
        world.timezone = before;
        world.now = at("2026-11-18T12:00:00Z");
        await runJob(weeklyPoolsJob(world.ports));
        const { endsAt } = await world.contribute("5", { period: "weekly" });
        assert.equal(endsAt, at(end));
        await world.enter({ player: "ada", score: 1, storedAt: world.now });
        world.timezone = after;
        await runWhenDue(world.now, endsAt - 1);
        assert.deepEqual(await world.inventory("ada"), []);
        await runWhenDue(endsAt - 1, endsAt + DAY_MS);
        assert.deepEqual(await world.inventory("ada"), [{ item: "TICO", amount: "5" }]);
      });
    }
  });
}
