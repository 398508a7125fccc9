import assert from "node:assert/strict";
import fc from "fast-check";
import { openPeriod, periodAt, periodBefore, periodFrom } from "../../src/actors/pools/periods.ts";
import { nextDue } from "../../src/actors/runtime/schedule.ts";
import { seededRng } from "../../src/clock.ts";
import { PERIOD_TYPES, type Period, type PeriodType } from "../../src/entities/pools/Pool.ts";

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const HOUR_MS = 3_600_000;
const at = (iso: string): number => Date.parse(iso);
const iso = (time: number): string => new Date(time).toISOString().replace(":00.000Z", "Z");
const shown = ({ startsAt, endsAt }: Period): string[] => [iso(startsAt), iso(endsAt)];

/** Among them half hours, clocks that change at midnight, at one minute past it and twice a year by half an hour, and a date that was left out. */
const ZONES = [
  ...["UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Asia/Beirut", "America/St_Johns"],
  ...["America/Havana", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Kiritimati"],
  ...["Pacific/Chatham", "Africa/Casablanca", "Africa/Cairo", "Asia/Tehran", "America/Asuncion", "Atlantic/Azores"],
  ...["Asia/Gaza", "America/Scoresbysund", "Antarctica/Troll", "Asia/Pyongyang"],
];

describe("periods", () => {
  const tables: Array<[what: string, type: PeriodType, zone: string, moment: string, expected: string[]]> = [
    ["a day in UTC", "daily", "UTC", "2026-11-21T12:31Z", ["2026-11-21T00:00Z", "2026-11-22T00:00Z"]],
    ["a week in UTC", "weekly", "UTC", "2026-11-22T23:59Z", ["2026-11-16T00:00Z", "2026-11-23T00:00Z"]],
    ["a day's first moment", "daily", "UTC", "2026-11-21T00:00Z", ["2026-11-21T00:00Z", "2026-11-22T00:00Z"]],
    [
      "the 23 hours of spring",
      "daily",
      "Europe/Berlin",
      "2026-03-29T10:00Z",
      ["2026-03-28T23:00Z", "2026-03-29T22:00Z"],
    ],
    [
      "the 25 hours of autumn",
      "daily",
      "Europe/Berlin",
      "2026-10-25T10:00Z",
      ["2026-10-24T22:00Z", "2026-10-25T23:00Z"],
    ],
    ["the week of spring", "weekly", "Europe/Berlin", "2026-03-29T10:00Z", ["2026-03-22T23:00Z", "2026-03-29T22:00Z"]],
    [
      "the week of autumn",
      "weekly",
      "America/New_York",
      "2026-11-01T12:00Z",
      ["2026-10-26T04:00Z", "2026-11-02T05:00Z"],
    ],
    [
      "a day that begins at 01:00",
      "daily",
      "America/Sao_Paulo",
      "2018-11-04T12:00Z",
      ["2018-11-04T03:00Z", "2018-11-05T02:00Z"],
    ],
    [
      "a day before such a one",
      "daily",
      "Asia/Beirut",
      "2026-03-28T12:00Z",
      ["2026-03-27T22:00Z", "2026-03-28T22:00Z"],
    ],
    [
      "a day with two midnights at its beginning",
      "daily",
      "America/Havana",
      "2026-11-01T12:00Z",
      ["2026-11-01T04:00Z", "2026-11-02T05:00Z"],
    ],
    [
      "a day with an hour twice at its end",
      "daily",
      "America/Sao_Paulo",
      "2018-02-18T02:30Z",
      ["2018-02-17T02:00Z", "2018-02-18T03:00Z"],
    ],
    [
      "the day before one that was left out",
      "daily",
      "Pacific/Apia",
      "2011-12-30T09:00Z",
      ["2011-12-29T10:00Z", "2011-12-30T10:00Z"],
    ],
    [
      "the day after one that was left out",
      "daily",
      "Pacific/Apia",
      "2011-12-30T10:00Z",
      ["2011-12-30T10:00Z", "2011-12-31T10:00Z"],
    ],
    [
      "a day whose last hour comes again just after midnight",
      "daily",
      "America/St_Johns",
      "2010-11-07T03:00Z",
      ["2010-11-06T02:30Z", "2010-11-07T03:30Z"],
    ],
  ];
  for (const [what, type, zone, moment, expected] of tables) {
    it(`${what} (${zone}, ${moment})`, () => assert.deepEqual(shown(periodAt(type, zone, at(moment))), expected));
  }

  it("tile time without a gap or an overlap, in every zone", function () {
    this.timeout(120_000);
    console.log(`      seed ${SEED} (replay: SEED=${SEED})`);
    const moment = fc.integer({ min: at("2005-01-01T00:00Z"), max: at("2040-01-01T00:00Z") });
    fc.assert(
      fc.property(fc.constantFrom(...PERIOD_TYPES), fc.constantFrom(...ZONES), moment, (type, zone, time) => {
        const period = periodAt(type, zone, time);
        assert.ok(period.startsAt <= time && time < period.endsAt, "the moment is in it");
        assert.deepEqual(periodAt(type, zone, period.startsAt), period);
        assert.deepEqual(periodAt(type, zone, period.endsAt - 1), period);
        assert.equal(periodAt(type, zone, period.endsAt).startsAt, period.endsAt);
        assert.equal(periodBefore(type, zone, time).endsAt, period.startsAt);
        assert.deepEqual(periodFrom(type, zone, period.startsAt), period);
        const expected = type === "daily" ? 24 : 7 * 24;
        const isShort = zone === "Pacific/Apia" && type === "weekly" && time < at("2012-01-02T00:00Z");
        assert.ok(isShort || Math.abs((period.endsAt - period.startsAt) / HOUR_MS - expected) <= 3, "its length");
      }),
      { seed: SEED, numRuns: 1500 },
    );
  });

  it("of a week are whole days", () => {
    for (const zone of ZONES) {
      const week = periodAt("weekly", zone, at("2026-10-25T12:00Z"));
      assert.equal(periodAt("daily", zone, week.startsAt).startsAt, week.startsAt, zone);
      assert.equal(periodAt("daily", zone, week.endsAt - 1).endsAt, week.endsAt, zone);
    }
  });

  it("end when the jobs that finalise them are due", () => {
    const crons = { daily: "0 0 * * *", weekly: "0 0 * * 1" };
    fc.assert(
      fc.property(
        fc.constantFrom(...PERIOD_TYPES),
        fc.constantFrom(...ZONES),
        fc.integer({ min: at("2012-01-01T00:00Z"), max: at("2035-01-01T00:00Z") }),
        (type, zone, time) => {
          const due = nextDue({ schedule: { cron: crons[type] }, timezone: zone }, time, seededRng(1));
          assert.equal(due, periodAt(type, zone, time).endsAt, `${zone} ${iso(time)}`);
        },
      ),
      { seed: SEED, numRuns: 500 },
    );
  });

  it("go on from the last one when the zone is changed, so that no moment is in two", () => {
    const last = periodAt("daily", "Asia/Tokyo", at("2026-11-21T12:00Z"));
    assert.deepEqual(shown(last), ["2026-11-20T15:00Z", "2026-11-21T15:00Z"]);
    assert.deepEqual(openPeriod("daily", "UTC", at("2026-11-21T14:59Z"), last), last);
    const rest = openPeriod("daily", "UTC", at("2026-11-21T15:00Z"), last);
    assert.deepEqual(shown(rest), ["2026-11-21T15:00Z", "2026-11-22T00:00Z"]);
    assert.deepEqual(periodFrom("daily", "UTC", last.endsAt), rest);
    assert.deepEqual(shown(openPeriod("daily", "UTC", at("2026-11-22T00:00Z"), rest)), [
      "2026-11-22T00:00Z",
      "2026-11-23T00:00Z",
    ]);
    assert.deepEqual(openPeriod("weekly", "UTC", last.endsAt, undefined), periodAt("weekly", "UTC", last.endsAt));
  });
});
