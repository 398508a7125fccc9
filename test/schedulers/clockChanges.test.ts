import assert from "node:assert/strict";
import { isDue, nextDue } from "../../src/actors/runtime/schedule.ts";
import { seededRng } from "../../src/clock.ts";

const rng = seededRng(1);
const FROM = Date.UTC(2020, 0, 1);
const TO = Date.UTC(2041, 0, 1);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Clocks are not changed twice within that. */
const WEEK = 7 * 24 * HOUR;
const STEP = 5 * MINUTE;

/** A moment at which clocks in a time zone are set anew. */
interface Change {
  zone: string;
  at: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** What clocks read: "2027-03-27 23:30". Nothing but `Intl` says so. */
function clock(zone: string, moment: number): string {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "short" });
    formats.set(zone, format);
  }
  return format.format(moment);
}

const offset = (zone: string, moment: number): number =>
  Date.parse(`${clock(zone, moment).replace(" ", "T")}Z`) - moment;

/** When clocks in this zone change, to the minute. */
function changesOf(zone: string): number[] {
  const changes: number[] = [];
  for (let week = FROM; week < TO; week += WEEK) {
    const before = offset(zone, week);
    if (offset(zone, week + WEEK) === before) continue;
    let [low, high] = [week / MINUTE, (week + WEEK) / MINUTE];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (offset(zone, middle * MINUTE) === before) low = middle;
      else high = middle;
    }
    changes.push(high * MINUTE);
  }
  return changes;
}

/** Of all zones whose clocks change alike, one. */
function allChanges(): Change[] {
  const known = new Set<string>();
  const changes: Change[] = [];
  for (const zone of Intl.supportedValuesOf("timeZone")) {
    const times = changesOf(zone);
    const key = `${offset(zone, FROM)} ${times.map((at) => `${at}:${offset(zone, at)}`)}`;
    if (known.has(key)) continue;
    known.add(key);
    changes.push(...times.map((at) => ({ zone, at })));
  }
  return changes;
}

/** The first moment from which on clocks read at least `time`. */
function expected(zone: string, time: string, around: number): number {
  let moment = around - 4 * HOUR;
  while (clock(zone, moment) < time) moment += STEP;
  moment -= STEP;
  while (clock(zone, moment) < time) moment += MINUTE;
  return moment;
}

/** The pattern that names this one time of the year. */
function patternOf(time: string): string {
  const [, month, day, hour, minute] = time.split(/[- :]/).map(Number);
  return `${minute} ${hour} ${day} ${month} *`;
}

describe("due times of a day on which clocks change", function () {
  this.timeout(180_000);

  for (const zone of ["America/Nuuk", "America/Scoresbysund"]) {
    it(`are not left out where the gap ends at midnight: 23:30 in ${zone}`, () => {
      const timetable = { schedule: { cron: "30 23 * * *" }, timezone: zone };
      const times: string[] = [];
      let due = nextDue(timetable, Date.parse("2027-03-26T03:00:00Z"), rng);
      for (; times.length < 3 && due !== undefined; due = nextDue(timetable, due, rng)) times.push(clock(zone, due));
      assert.deepEqual(times, ["2027-03-26 23:30", "2027-03-28 00:00", "2027-03-28 23:30"]);
    });
  }

  it("are found from any moment before them, and known again", () => {
    const timetable = { schedule: { cron: "30 23 * * *" }, timezone: "America/Nuuk" };
    const end = Date.parse("2027-03-28T01:00:00Z");
    for (const before of [1, 1000, MINUTE, HOUR, 2 * HOUR]) assert.equal(nextDue(timetable, end - before, rng), end);
    assert.equal(isDue(timetable, end, rng), true);
    assert.equal(isDue(timetable, end + MINUTE, rng), false);
  });

  it("are the first moment after a gap, and the first of two, in all time zones from 2020 to 2040", () => {
    const changes = allChanges();
    assert.ok(changes.length > 1000, `${changes.length} changes`);
    const wrong: string[] = [];
    for (const { zone, at } of changes) {
      const [before, after] = [offset(zone, at - MINUTE), offset(zone, at)];
      // The beginning, the middle and the end of the gap, or of what is read twice.
      const [first, last] = [at + Math.min(before, after), at + Math.max(before, after)];
      for (const reading of [first, first + STEP, last - STEP, last]) {
        const time = new Date(reading).toISOString().slice(0, 16).replace("T", " ");
        const due = nextDue({ schedule: { cron: patternOf(time) }, timezone: zone }, at - 3 * HOUR - STEP, rng);
        const right = expected(zone, time, at);
        if (due !== right) wrong.push(`${zone} ${time}: ${due && clock(zone, due)}, not ${clock(zone, right)}`);
      }
    }
    assert.deepEqual(wrong.slice(0, 20), []);
  });
});
