import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { LOBBY_TOPIC, roomsTopic } from "../../src/actors/runtime/Actor.ts";
import { TournamentActor } from "../../src/actors/tournaments/TournamentActor.ts";
import { seededRng } from "../../src/clock.ts";
import { eventChanges } from "../../src/entities/events/EventChange.ts";
import { PrizeLedger } from "../../src/entities/prizes/PrizeLedger.ts";
import type { Database } from "../../src/entities/sql.ts";
import { Tournaments, type TournamentTerms } from "../../src/entities/tournaments/Tournament.ts";
import { openDatabase } from "../support/database.ts";
import { hashFromSql, SOME_PRIZES, someTerms, TournamentWorld, writeEntries } from "./settlements.ts";

/** `SEED=<seed> npx mocha test/tournaments/reviews.test.ts` replays a run. */
const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const WHY = { operatorId: "op", reason: "the best score is a record" };
const HOUR = 3_600_000;
/** Three pages of standings and several of prizes. */
const PLAYERS = 13;
/** By `SOME_PRIZES`: ranks 1 to 3 and 6 to 13. */
const AWARDS = 1 + 3 + (PLAYERS - 5);

describe("a tournament whose result is to be reviewed", function () {
  this.timeout(120_000);
  let database: Database;
  let world: TournamentWorld;

  before(() => console.log(`      seed ${SEED} (SEED=${SEED} replays it)`));

  afterEach(async () => {
    await world.node.crash();
    await database.close();
  });

  /** One that is open for two seconds from a second on, and in which all have played. */
  async function open(change: Partial<TournamentTerms> = {}): Promise<void> {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    world = new TournamentWorld(database);
    await world.join("n0");
    const startsAt = world.clock.now() + 1000;
    const terms = someTerms(startsAt, { graceMs: 0, endsAt: startsAt + 2000, prizes: SOME_PRIZES, ...change });
    await world.within(world.tournament().create(terms, "op", null));
    await writeEntries(database, "t", PLAYERS);
  }

  const stored = async () => (await new Tournaments(database).get("t"))!;
  const awards = async () => (await database.query("SELECT 1 FROM awards")).length;
  const hold = () => world.within(world.tournament().hold(WHY));
  const release = () => world.within(world.tournament().release(WHY));
  const review = () => world.within(world.operations.review("t"));
  const changes = async () =>
    (await eventChanges(database, "tournaments", "t", 10)).map(({ kind }) => kind).toReversed();

  async function untilHeld(): Promise<void> {
    for (let second = 0; (await stored()).reviewSince === null; second++) {
      assert.ok(second < 60, "nothing is held");
      await world.clock.advance(1000);
    }
  }

  async function untilSettled(): Promise<void> {
    for (let second = 0; (await stored()).phase !== "settled"; second++) {
      assert.ok(second < 60, "it does not settle");
      await world.clock.advance(1000);
    }
  }

  /** Orders a review as soon as this is written, so that it is carried out in the turn after that. */
  function askedAt(written: string): Promise<{ phase: string }> {
    const { promise, resolve, reject } = Promise.withResolvers<{ phase: string }>();
    promise.catch(() => {});
    // An actor's own turn may not call it.
    const outside = AsyncLocalStorage.snapshot();
    let isAsked = false;
    world.node.life.onOperation = (_, statement) => {
      if (!isAsked && statement.includes(written)) {
        isAsked = true;
        outside(() => world.tournament().hold(WHY).then(resolve, reject));
      }
      return undefined;
    };
    return promise;
  }

  it("stores its standings, and pays nothing before an operator releases it", async () => {
    await open({ review: true });
    await untilHeld();
    await world.clock.advance(60_000);
    const { phase, reviewSince, resultHash } = await stored();
    assert.deepEqual([phase, resultHash, await awards()], ["settling", null, 0]);
    const [listed] = await new Tournaments(database).list();
    assert.equal(listed!.reviewSince, reviewSince);
    const said = (await world.notified(roomsTopic(TournamentActor, "t"))).at(-1) as [string, { reviewSince?: number }];
    assert.deepEqual([said[0], said[1].reviewSince], ["phase", reviewSince]);
    await release();
    await untilSettled();
    assert.equal(await awards(), AWARDS);
    assert.deepEqual(await new PrizeLedger(database, seededRng(1)).imbalances(), []);
    const settled = await stored();
    assert.deepEqual([settled.reviewSince, settled.prizesDistributed], [null, true]);
    assert.equal(settled.resultHash, await hashFromSql(database, "t"));
    const lobby = (await world.notified(LOBBY_TOPIC)).map(([type]) => type);
    assert.equal(lobby.filter((type) => type === "tournamentSettled").length, 1);
    assert.deepEqual(await changes(), ["release"]);
  });

  it("shows operators the ranks, what they would get, the sums of all and the hash", async () => {
    await open({ review: true });
    const nothing = { since: null, resultHash: null, players: 0, prizes: [], totals: [] };
    assert.deepEqual(await review(), { orderedBy: "definition", ...nothing });
    await untilHeld();
    const { prizes, ...report } = await review();
    const { reviewSince } = await stored();
    assert.deepEqual(report, {
      ...{ orderedBy: "definition", since: reviewSince, players: PLAYERS },
      resultHash: await hashFromSql(database, "t"),
      totals: [
        { item: "PRIVATE_PASS", amount: "1" },
        { item: "TICO", amount: String(100 + 3 * 50 + (PLAYERS - 5) * 7) },
      ],
    });
    assert.equal(prizes.length, PLAYERS);
    assert.deepEqual(prizes[1]!.prizes, [{ item: "TICO", amount: "50" }]);
  });

  it("is held by an operator's word in any phase until something is paid, and not from then on", async () => {
    await open();
    await hold();
    await release();
    await assert.rejects(release(), { code: "conflict" });
    await world.clock.advance(1500);
    await hold();
    await assert.rejects(hold(), { code: "conflict" });
    await untilHeld();
    await release();
    await untilSettled();
    await assert.rejects(hold(), { code: "wrong_phase" });
    await assert.rejects(release(), { code: "wrong_phase" });
    assert.deepEqual(await changes(), ["hold", "release", "hold", "release"]);
    assert.equal(await awards(), AWARDS);
  });

  it("is held also by a word that comes while its standings are being stored, and refuses one that comes while it pays", async () => {
    await open();
    await world.clock.advance(2900);
    const order = askedAt("LOAD standings");
    await untilHeld();
    assert.equal(await awards(), 0);
    assert.equal((await world.within(order)).phase, "settling");
    const refused = askedAt("INSERT INTO awards");
    await release();
    await untilSettled();
    await assert.rejects(world.within(refused), {
      code: "wrong_phase",
      details: { phase: "settling", changesAt: null },
    });
    assert.equal(await awards(), AWARDS);
  });

  it("comes to the same whatever node dies at whatever operation before it is held, while it is, and when it is released", async () => {
    const rng = seededRng(SEED);
    for (let run = 0; run < 12; run++) {
      await open({ review: true });
      let deaths = 0;
      const mortal = (): void => {
        let left = 1 + Math.floor(rng.next() * 60);
        world.node.life.onOperation = () => (--left === 0 ? "crash" : undefined);
      };
      mortal();
      let isReleased = false;
      for (let second = 0; (await stored()).phase !== "settled"; second++) {
        assert.ok(second < 240, `run ${run}: it does not settle`);
        await world.clock.advance(1000);
        if (world.node.crashed) {
          deaths += 1;
          await database.write("UPDATE actors SET crashes = 0");
          await world.join(`n${run}-${second}`);
          if (deaths < 4) mortal();
        }
        const { reviewSince, phase } = await stored();
        if (reviewSince === null)
          assert.equal(isReleased ? 0 : await awards(), 0, `run ${run}: paid before it was reviewed`);
        if (reviewSince === null || phase === "settled") continue;
        assert.equal(await awards(), 0, `run ${run}: paid while it was held`);
        if (second % 5 === 0)
          await world.clock
            .within(3000, world.tournament("t", "release").release(WHY), 1)
            .then(() => (isReleased = true))
            // Whether it was released shows in the row.
            .catch(() => (isReleased = true));
      }
      assert.equal(await awards(), AWARDS, `run ${run}`);
      assert.deepEqual(await changes(), ["release"], `run ${run}`);
      if (run < 11) {
        await world.node.crash();
        await database.close();
      }
    }
  });

  it("is cancelled instead, before it is held or while it is, and nobody is paid", async () => {
    for (const wait of [async () => void (await world.clock.advance(3001)), untilHeld]) {
      await open({ review: true });
      await wait();
      assert.equal((await stored()).phase, "settling");
      assert.equal((await world.within(world.tournament().cancel())).phase, "cancelled");
      await world.leap(world.clock.now() + 48 * HOUR);
      const { phase, reviewSince, resultHash, overAt } = await stored();
      assert.deepEqual([phase, reviewSince, resultHash, await awards()], ["cancelled", null, null, 0]);
      assert.ok(overAt > 0);
      assert.equal(world.reviewsOverdue, 0);
      await assert.rejects(release(), { code: "wrong_phase" });
      if (wait === untilHeld) continue;
      await world.node.crash();
      await database.close();
    }
  });

  it("cannot be cancelled once it settles without a review", async () => {
    await open();
    await world.clock.advance(3001);
    await assert.rejects(world.within(world.tournament().cancel()), { code: "wrong_phase" });
  });

  it("is counted as forgotten once a day has gone by", async () => {
    await open({ review: true });
    await untilHeld();
    await world.leap(world.clock.now() + 23 * HOUR);
    assert.equal(world.reviewsOverdue, 0);
    await world.leap(world.clock.now() + HOUR + 60_000);
    assert.equal(world.reviewsOverdue, 1);
  });
});
