import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type DuePlan,
  describe as inWords,
  isDue,
  nextDue,
  planDue,
  type Schedule,
  scheduleFault,
  shortestGap,
} from "../../src/actors/runtime/schedule.ts";
import { seededRng } from "../../src/clock.ts";
import { startProcess } from "../support/processes.ts";

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const rng = seededRng(1);
const at = (iso: string): number => Date.parse(iso);

/** The due times after `from`, as people in the zone read them off their clocks. */
function localTimes(cron: string, timezone: string, from: string, count: number): string[] {
  const format = new Intl.DateTimeFormat("sv-SE", {
    timeZone: timezone,
    dateStyle: "short",
    timeStyle: "medium",
  });
  const offset = new Intl.DateTimeFormat("en", { timeZone: timezone, timeZoneName: "longOffset" });
  const times: string[] = [];
  for (
    let due = nextDue({ schedule: { cron }, timezone }, at(from), rng);
    times.length < count && due !== undefined;
  ) {
    const zone = offset
      .formatToParts(due)
      .find(({ type }) => type === "timeZoneName")!
      .value.slice(3);
    times.push(`${format.format(due)}${zone}`);
    due = nextDue({ schedule: { cron }, timezone }, due, rng);
  }
  return times;
}

describe("schedules", () => {
  const berlin = "Europe/Berlin";
  const tables: Array<{ what: string; cron: string; zone: string; from: string; expected: string[] }> = [
    {
      what: "a daily time that the spring night leaves out comes at the first moment after the gap",
      cron: "30 2 * * *",
      zone: berlin,
      from: "2026-03-27T12:00:00Z",
      expected: ["2026-03-28 02:30:00+01:00", "2026-03-29 03:00:00+02:00", "2026-03-30 02:30:00+02:00"],
    },
    {
      what: "a daily time that the autumn night has twice comes once",
      cron: "30 2 * * *",
      zone: berlin,
      from: "2026-10-23T12:00:00Z",
      expected: ["2026-10-24 02:30:00+02:00", "2026-10-25 02:30:00+02:00", "2026-10-26 02:30:00+01:00"],
    },
    {
      what: "03:00 is 03:00 in spring",
      cron: "0 3 * * *",
      zone: berlin,
      from: "2026-03-27T12:00:00Z",
      expected: ["2026-03-28 03:00:00+01:00", "2026-03-29 03:00:00+02:00", "2026-03-30 03:00:00+02:00"],
    },
    {
      what: "03:00 is 03:00 in autumn",
      cron: "0 3 * * *",
      zone: berlin,
      from: "2026-10-23T12:00:00Z",
      expected: ["2026-10-24 03:00:00+02:00", "2026-10-25 03:00:00+01:00", "2026-10-26 03:00:00+01:00"],
    },
    {
      what: "named hours are kept in spring, each once a day",
      cron: "30 2,14 * * *",
      zone: berlin,
      from: "2026-03-28T12:00:00Z",
      expected: ["2026-03-28 14:30:00+01:00", "2026-03-29 03:00:00+02:00", "2026-03-29 14:30:00+02:00"],
    },
    {
      what: "named hours are kept in autumn, each once a day",
      cron: "30 2,14 * * *",
      zone: berlin,
      from: "2026-10-24T13:00:00Z",
      expected: ["2026-10-25 02:30:00+02:00", "2026-10-25 14:30:00+01:00", "2026-10-26 02:30:00+01:00"],
    },
    {
      what: "every hour is every hour in spring",
      cron: "0 * * * *",
      zone: berlin,
      from: "2026-03-28T23:30:00Z",
      expected: ["2026-03-29 01:00:00+01:00", "2026-03-29 03:00:00+02:00", "2026-03-29 04:00:00+02:00"],
    },
    {
      what: "every hour is every hour in autumn, both hours of the same name among them",
      cron: "0 * * * *",
      zone: berlin,
      from: "2026-10-24T22:30:00Z",
      expected: [
        "2026-10-25 01:00:00+02:00",
        "2026-10-25 02:00:00+02:00",
        "2026-10-25 02:00:00+01:00",
        "2026-10-25 03:00:00+01:00",
      ],
    },
    {
      what: "seconds go on through the autumn night",
      cron: "*/20 * * * * *",
      zone: berlin,
      from: "2026-10-25T00:59:30Z",
      expected: ["2026-10-25 02:59:40+02:00", "2026-10-25 02:00:00+01:00", "2026-10-25 02:00:20+01:00"],
    },
    {
      what: "a zone without daylight saving has the same time all year",
      cron: "0 3 * * *",
      zone: "Asia/Kolkata",
      from: "2026-03-27T23:00:00Z",
      expected: ["2026-03-29 03:00:00+05:30", "2026-03-30 03:00:00+05:30"],
    },
    {
      what: "the other hemisphere changes the other way round",
      cron: "30 2 * * *",
      zone: "Australia/Sydney",
      from: "2026-10-02T23:00:00Z",
      expected: ["2026-10-04 03:00:00+11:00", "2026-10-05 02:30:00+11:00"],
    },
    {
      what: "a leap day waits for its year",
      cron: "0 0 29 2 *",
      zone: "UTC",
      from: "2026-01-01T00:00:00Z",
      expected: ["2028-02-29 00:00:00+00:00", "2032-02-29 00:00:00+00:00"],
    },
  ];
  for (const { what, cron, zone, from, expected } of tables) {
    it(`${what}: "${cron}" in ${zone}`, () => {
      assert.deepEqual(localTimes(cron, zone, from, expected.length), expected);
    });
  }

  it("every so many milliseconds is the same moments for all nodes", () => {
    const every = { schedule: { everyMs: 7000 }, timezone: "UTC" };
    assert.equal(nextDue(every, 0, rng), 7000);
    assert.equal(nextDue(every, 6999, rng), 7000);
    assert.equal(nextDue(every, 7000, rng), 14_000);
  });

  it("a jittered schedule spreads its times evenly around the period", () => {
    const jittered = { schedule: { everyMs: 10_000, jitterMs: 2000 }, timezone: "UTC" };
    const steps = Array.from({ length: 5000 }, () => nextDue(jittered, 0, rng)!);
    assert.ok(steps.every((step) => step >= 8000 && step <= 12_000));
    const mean = steps.reduce((sum, step) => sum + step, 0) / steps.length;
    assert.ok(Math.abs(mean - 10_000) < 100, `the mean is ${mean}`);
  });

  it("tells due times from the moments between", () => {
    const cron = { schedule: { cron: "0 3 * * *" }, timezone: berlin };
    assert.equal(isDue(cron, at("2026-06-01T01:00:00Z"), rng), true);
    assert.equal(isDue(cron, at("2026-06-01T01:00:00Z") + 1, rng), false);
    assert.equal(isDue(cron, at("2026-06-01T02:00:00Z"), rng), false);
    assert.equal(isDue({ schedule: { everyMs: 500 }, timezone: "UTC" }, 1500, rng), true);
    assert.equal(isDue({ schedule: { everyMs: 500 }, timezone: "UTC" }, 1501, rng), false);
  });

  it("says a schedule in words", () => {
    assert.equal(inWords({ cron: "0 3 * * *" }), "0 3 * * *");
    assert.equal(inWords({ everyMs: 1000 }), "every 1000 ms");
    assert.equal(inWords({ everyMs: 1000, jitterMs: 50 }), "every 1000 ms ± 50 ms");
  });

  const faulty: Array<[Schedule, string, RegExp]> = [
    [{ cron: "61 * * * *" }, "UTC", /minute/],
    [{ cron: "* * * *" }, "UTC", /five fields/],
    [{ cron: "* * * * * * *" }, "UTC", /five fields/],
    [{ cron: "2030-01-01T00:00:00" }, "UTC", /five fields/],
    [{ cron: "@sometimes" }, "UTC", /./],
    [{ cron: "? * * * *" }, "UTC", /question mark/],
    [{ cron: "0 0 30 2 *" }, "UTC", /never due/],
    [{ cron: `${"0,".repeat(100)}0 * * * *` }, "UTC", /128/],
    [{ cron: "0 3 * * *" }, "Europe/Bielefeld", /time zone/i],
    [{ everyMs: 99 }, "UTC", /everyMs/],
    [{ everyMs: Number.NaN }, "UTC", /everyMs/],
    [{ everyMs: 1000.5 }, "UTC", /everyMs/],
    [{ everyMs: 1000, jitterMs: 1000 }, "UTC", /jitterMs/],
    [{ everyMs: 1000, jitterMs: -1 }, "UTC", /jitterMs/],
  ];
  for (const [schedule, timezone, fault] of faulty) {
    it(`refuses ${JSON.stringify(schedule).slice(0, 60)} in ${timezone}`, () => {
      assert.match(scheduleFault({ schedule, timezone }) ?? "nothing", fault);
    });
  }

  for (const cron of ["* * * * *", "*/10 * * * * *", "@daily", "0 9 * * MON-FRI", "0 0 L * *"]) {
    it(`accepts ${cron}`, () => assert.equal(scheduleFault({ schedule: { cron }, timezone: berlin }), undefined));
  }
});

describe("patterns", () => {
  it("are kept as parsed for as many as are in use, not for all that were ever asked about", async () => {
    // In a process of its own: to count them is to look at all objects that there are.
    const asking = await startProcess("test/schedulers/askManyPatterns.ts");
    const { due, kept, again } = await asking.message(
      "reporting of patterns",
      (message) => message as { due: number[]; kept: number; again: number },
    );
    assert.deepEqual(
      due,
      Array.from({ length: 1000 }, (_, n) => (n === 0 ? 86_400_000 : n * 60_000)),
    );
    assert.ok(kept <= 301, `${kept} patterns are kept`);
    assert.equal(again, 60_000, "one that was let go is read again");
  });

  it("tell how close together their times are", () => {
    const from = at("2026-01-01T00:00:00Z");
    assert.equal(shortestGap("0 3 * * *", "UTC", from, 20), 86_400_000);
    assert.equal(shortestGap("0 3 * * *", "Europe/Berlin", from, 200), 23 * 3_600_000, "over the change of the clocks");
    assert.equal(shortestGap("0,20,50 * * * * *", "UTC", from, 20), 10_000);
    assert.equal(shortestGap("0 3 * * *", "UTC", from, 1), Number.POSITIVE_INFINITY);
  });
});

describe("missed due times", () => {
  const second = { schedule: { everyMs: 1000 }, timezone: "UTC" };
  const daily = { schedule: { cron: "0 3 * * *" }, timezone: "Europe/Berlin" };
  const plan = (
    timetable: { schedule: Schedule; timezone: string },
    missed: "fire" | "skip" | "coalesce",
    due: number,
    now: number,
    most = 100,
  ): DuePlan => planDue(timetable, missed, { due, now, most }, rng);

  it("on time, every policy runs the one that has come", () => {
    for (const missed of ["fire", "skip", "coalesce"] as const)
      assert.deepEqual(plan(second, missed, 5000, 5003), { run: [5000], lapsed: undefined, next: 6000 });
  });

  it("fire runs each, as many as there is room for, and goes on from there", () => {
    assert.deepEqual(plan(second, "fire", 5000, 8500), {
      run: [5000, 6000, 7000, 8000],
      lapsed: undefined,
      next: 9000,
    });
    assert.deepEqual(plan(second, "fire", 5000, 8500, 2), { run: [5000, 6000], lapsed: undefined, next: 7000 });
  });

  it("coalesce lets the newest stand for all", () => {
    assert.deepEqual(plan(second, "coalesce", 5000, 8500), { run: [8000], lapsed: undefined, next: 9000 });
  });

  it("skip lets go of what is more than 10 s late, and runs the next in time", () => {
    const due = at("2026-06-01T01:00:00Z");
    const next = at("2026-06-02T01:00:00Z");
    assert.deepEqual(plan(daily, "skip", due, due + 10_000), { run: [due], lapsed: undefined, next });
    assert.deepEqual(plan(daily, "skip", due, due + 10_001), { run: [], lapsed: due, next });
  });

  it("an outage of a year costs no walk through its due times", () => {
    const due = at("2026-06-01T01:00:00Z");
    const now = at("2027-06-01T12:00:00Z");
    const everySecond = { schedule: { cron: "* * * * * *" }, timezone: "Europe/Berlin" };
    assert.deepEqual(plan(everySecond, "coalesce", due, now + 500), {
      run: [now],
      lapsed: undefined,
      next: now + 1000,
    });
    assert.deepEqual(plan({ schedule: { everyMs: 100 }, timezone: "UTC" }, "coalesce", due, now + 50).run, [now]);
    assert.deepEqual(plan(daily, "coalesce", due, now).run, [at("2027-06-01T01:00:00Z")]);
  });

  it("a jittered time that was missed stands for itself, and the next is drawn from now on", () => {
    const jittered = { schedule: { everyMs: 1000, jitterMs: 100 }, timezone: "UTC" };
    const { run, next } = plan(jittered, "coalesce", 5000, 100_000);
    assert.deepEqual(run, [5000]);
    assert.ok(next! >= 100_900 && next! <= 101_100);
  });

  describe("properties", () => {
    before(() => console.log(`      seed ${SEED} (SEED=${SEED} replays)`));

    const timetables = fc.oneof(
      fc.integer({ min: 100, max: 10_000_000 }).map((everyMs) => ({ schedule: { everyMs }, timezone: "UTC" })),
      fc
        .tuple(
          fc.constantFrom(
            "*/7 * * * * *",
            "30 2 * * *",
            "*/15 * * * *",
            "0 2,3 * * *",
            "15 10 1-3 * * *",
            "0 3 * * SUN",
          ),
          fc.constantFrom("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"),
        )
        .map(([cron, timezone]) => ({ schedule: { cron }, timezone })),
    );
    /** Around both changes of 2026 in Berlin, and a little beyond. */
    const starts = fc
      .tuple(
        fc.constantFrom(at("2026-03-28T20:00:00Z"), at("2026-10-24T20:00:00Z")),
        fc.integer({ max: 30_000_000, min: 0 }),
      )
      .map(([base, offset]) => base + offset);
    const spans = fc.oneof(fc.integer({ min: 0, max: 60_000 }), fc.integer({ min: 0, max: 40_000_000 }));

    it("the next due time is always later, and asked from any moment before it, the same", () => {
      fc.assert(
        fc.property(timetables, starts, fc.double({ min: 0, max: 1, noNaN: true }), (timetable, from, share) => {
          const next = nextDue(timetable, from, rng)!;
          assert.ok(next > from);
          const between = Math.min(next - 1, from + Math.floor((next - from) * share));
          assert.equal(nextDue(timetable, between, rng), next);
          assert.equal(isDue(timetable, next, rng), true);
        }),
        { seed: SEED },
      );
    });

    it("fire leaves out none and repeats none, however often it is interrupted", () => {
      fc.assert(
        fc.property(timetables, starts, spans, fc.integer({ min: 1, max: 50 }), (timetable, from, span, most) => {
          const first = nextDue(timetable, from, rng)!;
          const now = first + Math.min(span, "everyMs" in timetable.schedule ? timetable.schedule.everyMs * 300 : span);
          const fired: number[] = [];
          let next = first;
          while (next <= now && fired.length < 400) {
            const step = planDue(timetable, "fire", { due: next, now, most }, rng);
            assert.ok(step.run.length > 0 && step.run.length <= most);
            fired.push(...step.run);
            next = step.next!;
          }
          const walked: number[] = [];
          for (let due = first; due <= now && walked.length < fired.length; due = nextDue(timetable, due, rng)!)
            walked.push(due);
          assert.deepEqual(fired, walked);
        }),
        { seed: SEED, numRuns: 60 },
      );
    });

    it("coalesce and skip agree with fire on the newest and on the next", () => {
      fc.assert(
        fc.property(timetables, starts, spans, (timetable, from, span) => {
          const due = nextDue(timetable, from, rng)!;
          const now = due + span;
          const { run, next } = planDue(timetable, "coalesce", { due, now, most: 1 }, rng);
          assert.equal(run.length, 1);
          assert.ok(run[0]! <= now && run[0]! >= due);
          assert.equal(isDue(timetable, run[0]!, rng), true);
          assert.equal(nextDue(timetable, run[0]!, rng), next);
          assert.ok(next! > now);
          const skip = planDue(timetable, "skip", { due, now, most: 1 }, rng);
          assert.deepEqual(skip.lapsed === undefined ? skip.run : [skip.lapsed], run);
          assert.equal(skip.next, next);
        }),
        { seed: SEED, numRuns: 200 },
      );
    });
  });
});
