import assert from "node:assert/strict";
import { LOBBY_TOPIC } from "../../src/actors/runtime/Actor.ts";
import { tournamentDefinition } from "../../src/actors/tournaments/definition.ts";
import { LONGEST_SERIES_ID } from "../../src/actors/tournaments/TournamentSeriesActor.ts";
import type { Database } from "../../src/entities/sql.ts";
import { type TournamentRecord, Tournaments, type TournamentTerms } from "../../src/entities/tournaments/Tournament.ts";
import { validate } from "../../src/validate.ts";
import { ManualClock } from "../actors/simulation.ts";
import { openDatabase } from "../support/database.ts";
import { SOME_PRIZES, someTerms, TournamentWorld } from "./settlements.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const at = (text: string): number => Date.parse(text);

describe("a series of tournaments", () => {
  let database: Database;
  let world: TournamentWorld;

  beforeEach(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
  });
  afterEach(async () => {
    await world.node.crash();
    await database.close();
  });

  /** Its first tournament lasts an hour from `first` on; it is created a minute before. */
  async function begin(first: string, cron: string, timezone = "UTC", change: Partial<TournamentTerms> = {}) {
    world = new TournamentWorld(database, new ManualClock(at(first) - 60_000));
    await world.join("n0");
    const startsAt = at(first);
    const terms = someTerms(startsAt, { endsAt: startsAt + HOUR, series: { cron, timezone }, ...change });
    await world.within(world.tournament().create(terms, "op", null));
    await world.clock.advance(10);
  }

  const get = async (id: string): Promise<TournamentRecord | null> => new Tournaments(database).get(id);
  const all = (): Promise<{ id: string; starts_at: number; phase: string }[]> =>
    database.query("SELECT id, starts_at, phase FROM tournaments ORDER BY starts_at");
  const coming = async (): Promise<string[]> =>
    (await all()).filter(({ phase }) => phase === "scheduled").map(({ id }) => id);
  const until = (time: string): Promise<void> => world.leap(at(time));

  it("has the next one ready as soon as one begins, by the pattern, as long and on the same terms", async () => {
    await begin("2027-03-01T12:00:00Z", "0 12 * * *", "UTC", { prizes: SOME_PRIZES, maxScore: 77, graceMs: 1 });
    assert.deepEqual(await coming(), ["t"]);
    assert.equal((await get("t"))!.seriesId, "t");
    await until("2027-03-01T12:00:01Z");
    assert.deepEqual(await coming(), ["t-2"]);
    const [first, second] = [(await get("t"))!, (await get("t-2"))!];
    assert.deepEqual(second.definition, {
      ...first.definition,
      startsAt: at("2027-03-02T12:00:00Z"),
      endsAt: at("2027-03-02T13:00:00Z"),
    });
    assert.deepEqual([second.seriesId, second.createdBy, second.name], ["t", "op", first.name]);
    for (const day of [2, 3, 4, 5]) await until(`2027-03-0${day}T12:00:01Z`);
    assert.deepEqual(
      (await all()).map(({ id, phase }) => [id, phase]),
      [
        ["t", "settled"],
        ["t-2", "settled"],
        ["t-3", "settled"],
        ["t-4", "settled"],
        ["t-5", "open"],
        ["t-6", "scheduled"],
      ],
    );
    const scheduled = (await world.notified(LOBBY_TOPIC)).filter(([type]) => type === "tournamentScheduled");
    assert.equal(scheduled.length, 6, "each was told once");
  });

  it("keeps the length of its terms, also when an operator extends one of them", async () => {
    await begin("2027-03-01T12:00:00Z", "0 12 * * *");
    await until("2027-03-01T12:00:10Z");
    await world.within(world.tournament().extend(5 * HOUR));
    await until("2027-03-02T12:00:10Z");
    const { startsAt, endsAt } = (await get("t-2"))!;
    assert.equal(endsAt - startsAt, HOUR);
  });

  it("has them overlap when they last longer than the pattern takes", async () => {
    await begin("2027-03-01T12:00:00Z", "0 * * * *", "UTC", { endsAt: at("2027-03-01T14:30:00Z") });
    for (const hour of [12, 13, 14]) await until(`2027-03-01T${hour}:00:10Z`);
    assert.deepEqual(
      (await all()).map(({ id, phase }) => [id, phase]),
      [
        ["t", "open"],
        ["t-2", "open"],
        ["t-3", "open"],
        ["t-4", "scheduled"],
      ],
    );
  });

  it("does not have one started early take place again at its time", async () => {
    await begin("2027-03-01T12:00:00Z", "0 12 * * *");
    await until("2027-03-01T12:30:00Z");
    await world.within(world.tournament("t-2").start());
    await world.clock.advance(100);
    assert.deepEqual(await coming(), ["t-3"]);
    assert.equal((await get("t-3"))!.startsAt, at("2027-03-03T12:00:00Z"));
  });

  it("leaves out what passed during an outage, and creates none in the past", async () => {
    await begin("2027-03-01T12:00:00Z", "0 12 * * *");
    await until("2027-03-01T12:30:00Z");
    await world.node.crash();
    await world.clock.advance(10 * DAY);
    await world.join("n1");
    await world.clock.advance(60_000);
    assert.deepEqual(
      (await all()).map(({ id, phase, starts_at }) => [id, phase, new Date(starts_at).toISOString()]),
      [
        ["t", "settled", "2027-03-01T12:00:00.000Z"],
        ["t-2", "settled", "2027-03-02T12:00:00.000Z"],
        ["t-3", "scheduled", "2027-03-12T12:00:00.000Z"],
      ],
    );
  });

  it("goes on when the coming one is called off, and when one that runs is", async () => {
    await begin("2027-03-01T12:00:00Z", "0 12 * * *");
    await world.within(world.tournament().cancel());
    await world.clock.advance(100);
    assert.deepEqual(await coming(), ["t-2"]);
    assert.equal((await get("t-2"))!.startsAt, at("2027-03-02T12:00:00Z"), "not again at the time of that one");
    await until("2027-03-02T12:10:00Z");
    await world.within(world.tournament("t-2").cancel());
    await world.clock.advance(100);
    assert.deepEqual(await coming(), ["t-3"], "it was coming already");
    assert.equal((await get("t-3"))!.startsAt, at("2027-03-03T12:00:00Z"));
  });

  it("ends when it is told to, once or twice; the coming one still takes place", async () => {
    await begin("2027-03-01T12:00:00Z", "0 12 * * *");
    await until("2027-03-01T12:10:00Z");
    assert.deepEqual(await world.within(world.series().endSeries()), { coming: "t-2" });
    assert.deepEqual(await world.within(world.series().endSeries()), { coming: "t-2" });
    for (const day of [2, 3, 5]) await until(`2027-03-0${day}T12:00:10Z`);
    assert.deepEqual(
      (await all()).map(({ id, phase }) => [id, phase]),
      [
        ["t", "settled"],
        ["t-2", "settled"],
      ],
    );
    assert.deepEqual(await world.within(world.series().endSeries()), { coming: null });
  });

  it("has one coming tournament whichever word is heard first", async () => {
    await begin("2027-03-01T12:00:00Z", "0 12 * * *");
    const { definition } = (await get("t"))!;
    const other = world.series("u");
    await world.within(other.goOn("u", definition, "op"));
    await world.within(other.begin(definition, "op"));
    await world.within(other.goOn("u", definition, "op"));
    await world.clock.advance(100);
    assert.deepEqual(await world.within(other.endSeries()), { coming: "u-2" });
    assert.ok((await get("u-2")) && !(await get("u-3")));
  });

  it("has an id that leaves room for those of its tournaments", async () => {
    await begin("2027-03-01T12:00:00Z", "0 12 * * *");
    const terms = someTerms(world.clock.now(), { series: { cron: "0 12 * * *", timezone: "UTC" } });
    const long = "x".repeat(LONGEST_SERIES_ID + 1);
    await assert.rejects(world.within(world.tournament(long).create(terms, "op", null)), { code: "invalid_payload" });
    await world.within(world.tournament(long).create({ ...terms, series: null }, "op", null));
  });

  describe("by the clocks of its time zone", () => {
    /** The local pattern, the first start, and when the following ones are in UTC. */
    const SEASONS: [string, string, string, string, string[]][] = [
      [
        "Berlin goes to summer time: 20:00 stays 20:00",
        "0 20 * * *",
        "Europe/Berlin",
        "2027-03-26T19:00:00Z",
        ["2027-03-27T19:00:00Z", "2027-03-28T18:00:00Z", "2027-03-29T18:00:00Z"],
      ],
      [
        "Berlin goes to summer time: 02:30, which that night does not have, takes place when the hour is over",
        "30 2 * * *",
        "Europe/Berlin",
        "2027-03-26T01:30:00Z",
        ["2027-03-27T01:30:00Z", "2027-03-28T01:00:00Z", "2027-03-29T00:30:00Z"],
      ],
      [
        "Berlin goes back: 02:30, which that night has twice, takes place once",
        "30 2 * * *",
        "Europe/Berlin",
        "2027-10-29T00:30:00Z",
        ["2027-10-30T00:30:00Z", "2027-10-31T00:30:00Z", "2027-11-01T01:30:00Z"],
      ],
      [
        "Berlin goes back: 20:00 stays 20:00",
        "0 20 * * *",
        "Europe/Berlin",
        "2027-10-29T18:00:00Z",
        ["2027-10-30T18:00:00Z", "2027-10-31T19:00:00Z", "2027-11-01T19:00:00Z"],
      ],
      [
        "New York goes to daylight time: 02:30, which that night does not have, takes place when the hour is over",
        "30 2 * * *",
        "America/New_York",
        "2027-03-12T07:30:00Z",
        ["2027-03-13T07:30:00Z", "2027-03-14T07:00:00Z", "2027-03-15T06:30:00Z"],
      ],
      [
        "New York goes back: 01:30, which that night has twice, takes place once",
        "30 1 * * *",
        "America/New_York",
        "2027-11-05T05:30:00Z",
        ["2027-11-06T05:30:00Z", "2027-11-07T05:30:00Z", "2027-11-08T06:30:00Z"],
      ],
      [
        "New York, every Monday at 18:00 over the change",
        "0 18 * * 1",
        "America/New_York",
        "2027-03-01T23:00:00Z",
        ["2027-03-08T23:00:00Z", "2027-03-15T22:00:00Z", "2027-03-22T22:00:00Z"],
      ],
    ];
    for (const [name, cron, timezone, first, expected] of SEASONS) {
      it(name, async () => {
        await begin(first, cron, timezone);
        for (const start of [first, ...expected]) {
          await until(start);
          await world.clock.advance(1000);
        }
        const starts = (await all()).map(({ starts_at }) => new Date(starts_at).toISOString().replace(".000Z", "Z"));
        assert.deepEqual(starts.slice(0, 4), [first, ...expected]);
      });
    }
  });

  describe("whose tournaments last until the next one", () => {
    /** By the clocks of the time zone, each ends when the next one begins. */
    async function days(first: string, count: number): Promise<[string, string][]> {
      const untilNext = { cron: "0 0 * * *", timezone: "Europe/Berlin", duration: "untilNext" } as const;
      const startsAt = at(first);
      const { endsAt } = validate(tournamentDefinition, { name: "N", game: "snake", startsAt, series: untilNext });
      await begin(first, untilNext.cron, untilNext.timezone, { endsAt, series: untilNext });
      for (let day = 0; day < count; day++) await world.leap(startsAt + day * DAY + 2 * HOUR);
      const rows = await database.query<{ starts_at: number; ends_at: number }>(
        "SELECT starts_at, ends_at FROM tournaments ORDER BY starts_at",
      );
      return rows.map(({ starts_at, ends_at }) => [new Date(starts_at).toISOString(), new Date(ends_at).toISOString()]);
    }

    it("leaves no hour without one when clocks go back", async () => {
      assert.deepEqual(await days("2027-10-29T22:00:00Z", 3), [
        ["2027-10-29T22:00:00.000Z", "2027-10-30T22:00:00.000Z"],
        ["2027-10-30T22:00:00.000Z", "2027-10-31T23:00:00.000Z"],
        ["2027-10-31T23:00:00.000Z", "2027-11-01T23:00:00.000Z"],
        ["2027-11-01T23:00:00.000Z", "2027-11-02T23:00:00.000Z"],
      ]);
    });

    it("has no two open when clocks go forward", async () => {
      assert.deepEqual(await days("2027-03-26T23:00:00Z", 3), [
        ["2027-03-26T23:00:00.000Z", "2027-03-27T23:00:00.000Z"],
        ["2027-03-27T23:00:00.000Z", "2027-03-28T22:00:00.000Z"],
        ["2027-03-28T22:00:00.000Z", "2027-03-29T22:00:00.000Z"],
        ["2027-03-29T22:00:00.000Z", "2027-03-30T22:00:00.000Z"],
      ]);
    });

    it("has its end from the pattern, and takes no other", () => {
      const definition = { name: "N", game: "snake", startsAt: at("2027-03-01T00:00:00Z") };
      const series = { cron: "0 0 * * *", duration: "untilNext" };
      const next = at("2027-03-02T00:00:00Z");
      assert.equal(validate(tournamentDefinition, { ...definition, series }).endsAt, next);
      assert.equal(validate(tournamentDefinition, { ...definition, series, endsAt: next }).endsAt, next);
      const refused = { code: "invalid_payload", message: /^endsAt: / };
      assert.throws(() => validate(tournamentDefinition, { ...definition, series, endsAt: next + 1 }), refused);
      assert.throws(() => validate(tournamentDefinition, definition), refused);
      const leapDays = { series: { ...series, cron: "0 0 29 2 *" }, startsAt: at("2028-03-01T00:00:00Z") };
      assert.throws(
        () => validate(tournamentDefinition, { ...definition, ...leapDays }),
        refused,
        "longer than a year",
      );
    });
  });
});
