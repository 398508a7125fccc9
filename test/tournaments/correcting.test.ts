import assert from "node:assert/strict";
import { LOBBY_TOPIC } from "../../src/actors/runtime/Actor.ts";
import { tournamentCorrection } from "../../src/actors/tournaments/definition.ts";
import { TournamentView } from "../../src/actors/tournaments/TournamentView.ts";
import { eventChanges } from "../../src/entities/events/EventChange.ts";
import { LARGEST_AWARD } from "../../src/entities/prizes/PrizeLedger.ts";
import type { Database } from "../../src/entities/sql.ts";
import { type TournamentRecord, Tournaments, type TournamentTerms } from "../../src/entities/tournaments/Tournament.ts";
import { MemoryLeaderboard } from "../../src/stores/tournaments/MemoryLeaderboard.ts";
import { validate } from "../../src/validate.ts";
import { ManualClock } from "../actors/simulation.ts";
import { openDatabase } from "../support/database.ts";
import { SOME_PRIZES, someTerms, TournamentWorld } from "./settlements.ts";
import { someTournament } from "./someTournament.ts";
import { TournamentCluster } from "./TournamentCluster.ts";

const WHY = { operatorId: "op", reason: "the wrong game" };
const LATER = 60_000;

describe("a scheduled tournament that is corrected", () => {
  let database: Database;
  let world: TournamentWorld;

  beforeEach(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    world = new TournamentWorld(database);
    await world.join("n0");
  });
  afterEach(() => database.close());

  const stored = async (id = "t"): Promise<TournamentRecord> => (await new Tournaments(database).get(id))!;
  const create = (change: Partial<TournamentTerms> = {}) =>
    world.within(world.tournament().create(someTerms(world.clock.now() + LATER, change), "op", null));
  const correct = (change: Partial<TournamentTerms> = {}) =>
    world.within(
      world.tournament("t").correct(someTerms(world.clock.now() + 2 * LATER, { name: "Bell cup", ...change }), WHY),
    );

  it("is another one from then on: name, game, times, rules and prizes, in its row and on the lobby's board", async () => {
    await create();
    const status = await correct({ game: "snake", operator: "sum", prizes: SOME_PRIZES, graceMs: 0 });
    const record = await stored();
    assert.deepEqual(
      [record.name, record.definition.operator, record.definition.prizes],
      ["Bell cup", "sum", SOME_PRIZES],
    );
    assert.deepEqual([record.startsAt, record.endsAt], [status.startsAt, status.startsAt + 10_000]);
    assert.deepEqual((await world.notified(LOBBY_TOPIC)).at(-1), ["tournamentPhase", status]);
    await world.clock.advance(1.5 * LATER);
    assert.equal((await stored()).phase, "scheduled", "it does not begin at the former time");
    await world.clock.advance(LATER);
    assert.deepEqual([(await stored()).phase, (await stored()).overAt], ["settled", status.endsAt]);
  });

  it("keeps who did it and why, once however often it is asked for", async () => {
    await create();
    const terms = someTerms(world.clock.now() + 2 * LATER, { name: "Bell cup" });
    for (let times = 0; times < 2; times++) await world.within(world.tournament("t", "once").correct(terms, WHY));
    const changes = await eventChanges(database, "tournaments", "t", 10);
    assert.deepEqual(
      changes.map(({ changedAt: _, ...change }) => change),
      [{ kind: "correct", ...WHY }],
    );
    assert.equal((await stored()).definition.revision, 1);
  });

  it("leaves the series as it was: the next one is like the first before it was corrected", async () => {
    const series = { cron: "0 12 * * *", timezone: "UTC" };
    await create({ series, maxScore: 77 });
    const former = await stored();
    await correct({ maxScore: 5 });
    assert.deepEqual((await stored()).definition.series, series);
    // The series has not heard of its first tournament yet: what that says when it begins is all that it goes by.
    await world.node.crash();
    await world.clock.advance(20_000);
    await database.query("DELETE FROM actors WHERE kind = 'tournament-series'");
    await world.join("n1");
    await world.clock.advance(2 * LATER);
    const { name, maxScore } = (await stored("t-2")).definition;
    assert.deepEqual([name, maxScore], [former.name, 77]);
  });

  it("takes no series with it", () => {
    const definition = someTournament({ series: { cron: "0 12 * * *", timezone: "UTC" } });
    assert.throws(() => validate(tournamentCorrection, { reason: "why", definition }), {
      code: "invalid_payload",
      message: /^definition\.series: /,
    });
  });

  it("is refused once it has begun, and in a race with the begin one of the two comes first", async () => {
    await create();
    const terms = someTerms(world.clock.now() + LATER, { name: "Bell cup" });
    const [begun, change] = await world.within(
      Promise.allSettled([world.tournament().start(), world.tournament().correct(terms, WHY)]),
    );
    assert.equal(begun.status, "fulfilled");
    assert.equal(change.status === "rejected" && change.reason.code, "wrong_phase");
    assert.deepEqual([(await stored()).name, (await stored()).phase], ["Harbour cup", "open"]);
    assert.deepEqual(await eventChanges(database, "tournaments", "t", 10), []);
  });

  it("is refused where its prizes could not be paid, and is as it was", async () => {
    await create();
    const before = await stored();
    const twice = [1, 2].map(() => ({ from: 1, to: 1, items: [{ item: "TICO", amount: String(LARGEST_AWARD) }] }));
    await assert.rejects(correct({ prizes: twice }), { code: "invalid_payload" });
    assert.deepEqual(await stored(), before);
  });

  it("takes scores by the new rules alone on every node, and its rooms hear of it", async () => {
    const clock = new ManualClock();
    const cluster = new TournamentCluster(clock, database, new MemoryLeaderboard());
    cluster.plan = { startsAt: clock.now() + LATER, maxScore: 10 };
    const a = await cluster.join("a");
    const b = await cluster.join("b");
    const former = (await cluster.tournaments.get("t"))!;
    const terms = { ...former.definition, maxScore: 100 };
    await cluster.within(cluster.actor(a).correct(terms, WHY), 100);
    await cluster.within(cluster.actor(a).start(), 100);
    for (const service of [a, b]) {
      assert.equal(service.row.corrected, 1);
      assert.equal((await service.submit(`p${service.node.id}`, "s1", 50)).best, 50);
    }
    const table = new TournamentView(former);
    table.hearRevision(1);
    assert.throws(() => table.requireCurrent(), { code: "unavailable" });
    table.correct((await cluster.tournaments.get("t"))!);
    table.requireCurrent();
    assert.equal(table.key.rules.maxScore, 100);
  });
});
