import assert from "node:assert/strict";
import { periodBefore } from "../../src/actors/pools/periods.ts";
import { nextDue } from "../../src/actors/runtime/schedule.ts";
import { seededRng } from "../../src/clock.ts";
import type { Period } from "../../src/entities/pools/Pool.ts";
import { dailyPoolsJob } from "../../src/schedulers/pools/dailyPoolsJob.ts";
import { rankingsJob } from "../../src/schedulers/pools/rankingsJob.ts";
import { weeklyDrawJob } from "../../src/schedulers/pools/weeklyDrawJob.ts";
import { weeklyPoolsJob } from "../../src/schedulers/pools/weeklyPoolsJob.ts";
import type { Job } from "../../src/schedulers/runtime/defineJob.ts";
import { PoolWorld } from "./poolWorld.ts";

type Ports = PoolWorld["ports"];

const MAKERS: Record<string, (ports: Ports) => Job> = {
  "daily-pools": dailyPoolsJob,
  "weekly-pools": weeklyPoolsJob,
  rankings: rankingsJob,
  "weekly-draw": weeklyDrawJob,
};

/** The job in a zone; nothing of it runs here. */
function jobIn(name: string, timezone: string): Job {
  const world = new PoolWorld(undefined as never);
  world.timezone = timezone;
  return MAKERS[name]!(world.ports);
}

function dueTimes(name: string, timezone: string, from: string, count: number): string[] {
  const { schedule, timezone: zone } = jobIn(name, timezone);
  const times: string[] = [];
  for (let at = Date.parse(from); times.length < count; ) {
    at = nextDue({ schedule, timezone: zone! }, at, seededRng(1))!;
    times.push(new Date(at).toISOString().replace(":00.000Z", "Z"));
  }
  return times;
}

const BERLIN = "Europe/Berlin";
const NEW_YORK = "America/New_York";

describe("the crons of pools, rankings and draws", () => {
  it("are those of runs that are not given up where they pay", () => {
    const owing = Object.keys(MAKERS).filter((name) => jobIn(name, "UTC").owes);
    assert.deepEqual(owing, ["daily-pools", "weekly-pools", "weekly-draw"]);
  });

  const tables: Array<[job: string, zone: string, when: string, from: string, expected: string[]]> = [
    ["daily-pools", "UTC", "midnight", "2026-03-28T12:00Z", ["2026-03-29T00:00Z", "2026-03-30T00:00Z"]],
    [
      "daily-pools",
      BERLIN,
      "spring",
      "2026-03-28T12:00Z",
      ["2026-03-28T23:00Z", "2026-03-29T22:00Z", "2026-03-30T22:00Z"],
    ],
    [
      "daily-pools",
      BERLIN,
      "autumn",
      "2026-10-24T12:00Z",
      ["2026-10-24T22:00Z", "2026-10-25T23:00Z", "2026-10-26T23:00Z"],
    ],
    [
      "daily-pools",
      NEW_YORK,
      "spring",
      "2026-03-07T12:00Z",
      ["2026-03-08T05:00Z", "2026-03-09T04:00Z", "2026-03-10T04:00Z"],
    ],
    [
      "daily-pools",
      NEW_YORK,
      "autumn",
      "2026-10-31T12:00Z",
      ["2026-11-01T04:00Z", "2026-11-02T05:00Z", "2026-11-03T05:00Z"],
    ],
    ["weekly-pools", "UTC", "Mondays", "2026-03-22T12:00Z", ["2026-03-23T00:00Z", "2026-03-30T00:00Z"]],
    [
      "weekly-pools",
      BERLIN,
      "spring",
      "2026-03-22T12:00Z",
      ["2026-03-22T23:00Z", "2026-03-29T22:00Z", "2026-04-05T22:00Z"],
    ],
    [
      "weekly-pools",
      BERLIN,
      "autumn",
      "2026-10-18T12:00Z",
      ["2026-10-18T22:00Z", "2026-10-25T23:00Z", "2026-11-01T23:00Z"],
    ],
    [
      "weekly-pools",
      NEW_YORK,
      "spring",
      "2026-03-01T12:00Z",
      ["2026-03-02T05:00Z", "2026-03-09T04:00Z", "2026-03-16T04:00Z"],
    ],
    [
      "weekly-pools",
      NEW_YORK,
      "autumn",
      "2026-10-25T12:00Z",
      ["2026-10-26T04:00Z", "2026-11-02T05:00Z", "2026-11-09T05:00Z"],
    ],
    ["weekly-draw", "UTC", "Mondays", "2026-03-22T12:00Z", ["2026-03-23T00:05Z", "2026-03-30T00:05Z"]],
    ["weekly-draw", BERLIN, "spring", "2026-03-22T12:00Z", ["2026-03-22T23:05Z", "2026-03-29T22:05Z"]],
    ["weekly-draw", BERLIN, "autumn", "2026-10-18T12:00Z", ["2026-10-18T22:05Z", "2026-10-25T23:05Z"]],
    ["weekly-draw", NEW_YORK, "spring", "2026-03-01T12:00Z", ["2026-03-02T05:05Z", "2026-03-09T04:05Z"]],
    ["weekly-draw", NEW_YORK, "autumn", "2026-10-25T12:00Z", ["2026-10-26T04:05Z", "2026-11-02T05:05Z"]],
    ["rankings", "UTC", "hours", "2026-03-28T22:30Z", ["2026-03-28T23:05Z", "2026-03-29T00:05Z"]],
    [
      "rankings",
      BERLIN,
      "spring",
      "2026-03-29T00:00Z",
      ["2026-03-29T00:05Z", "2026-03-29T01:05Z", "2026-03-29T02:05Z"],
    ],
    [
      "rankings",
      BERLIN,
      "autumn",
      "2026-10-25T00:00Z",
      ["2026-10-25T00:05Z", "2026-10-25T01:05Z", "2026-10-25T02:05Z"],
    ],
    [
      "rankings",
      NEW_YORK,
      "spring",
      "2026-03-08T06:00Z",
      ["2026-03-08T06:05Z", "2026-03-08T07:05Z", "2026-03-08T08:05Z"],
    ],
    [
      "rankings",
      NEW_YORK,
      "autumn",
      "2026-11-01T05:00Z",
      ["2026-11-01T05:05Z", "2026-11-01T06:05Z", "2026-11-01T07:05Z"],
    ],
  ];
  for (const [job, zone, when, from, expected] of tables) {
    it(`make ${job} due at ${expected.join(", ")} (${zone}, ${when})`, () => {
      assert.deepEqual(dueTimes(job, zone, from, expected.length), expected);
    });
  }

  it("find a week that is over five minutes before, at every draw of two years", () => {
    for (const zone of ["UTC", BERLIN, NEW_YORK, "America/Sao_Paulo", "Asia/Beirut", "America/Havana"]) {
      let last: Period | undefined;
      for (const due of dueTimes("weekly-draw", zone, "2026-01-01T00:00Z", 104)) {
        const week = periodBefore("weekly", zone, Date.parse(due));
        assert.equal(Date.parse(due) - week.endsAt, 5 * 60_000, `${zone} ${due}`);
        if (last) assert.equal(week.startsAt, last.endsAt);
        last = week;
      }
    }
  });

  it("say which of the jobs also runs when a node starts", () => {
    const atStart = Object.keys(MAKERS).filter((name) => jobIn(name, "UTC").atStart);
    assert.deepEqual(atStart, ["weekly-draw"]);
  });
});
