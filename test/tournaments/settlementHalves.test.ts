import assert from "node:assert/strict";
import { Actors } from "../../src/actors/runtime/Actors.ts";
import { MemoryBus } from "../../src/actors/runtime/MemoryBus.ts";
import type { SettlerPorts } from "../../src/actors/tournaments/Settler.ts";
import { TournamentActor, tournamentKind } from "../../src/actors/tournaments/TournamentActor.ts";
import { seededRng, systemClock, systemRng } from "../../src/clock.ts";
import type { Database } from "../../src/entities/sql.ts";
import { Tournaments } from "../../src/entities/tournaments/Tournament.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import { MemoryLeaderboard } from "../../src/stores/tournaments/MemoryLeaderboard.ts";
import { noMetrics, silentLog } from "../actors/simulation.ts";
import { openDatabase } from "../support/database.ts";
import { migratedDatabaseUrl } from "../support/migratedDatabase.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { hashFromSql, outcomeOf, SOME_PRIZES, someTerms, writeEntries } from "./settlements.ts";

/** Enough that a page is stored in halves, one of them beside the turn. */
const PLAYERS = 5000;

describe("a settlement in halves", function () {
  this.timeout(120_000);
  let database: Database;
  let actors: Actors;
  let expected: object;

  before(async () => {
    database = await openDatabase({ kind: "mysql", url: await migratedDatabaseUrl(), pool: 32 });
    await open();
    expected = await settled();
    await actors.stop();
  });
  after(() => database.close());
  beforeEach(async () => {
    for (const table of ["standings", "awards", "inventories", "tournaments", "actors", "score_entries"])
      await database.write(`DELETE FROM ${table}`);
  });
  afterEach(() => actors.stop());

  /** A node, and on it a tournament that is open and in which all have played. */
  async function open(change: Partial<SettlerPorts["database"]> = {}): Promise<void> {
    const ports: SettlerPorts["database"] = {
      dialect: "mysql",
      stream: database.stream.bind(database),
      loadApart: database.loadApart.bind(database),
      ...change,
    };
    const kind = {
      database: ports,
      leaderboard: new MemoryLeaderboard(),
      clock: systemClock,
      log: silentLog,
      reviewOverdue: () => {},
    };
    actors = new Actors({
      node: { id: "n", role: "all" },
      kinds: [tournamentKind(kind)],
      ...{ database, bus: new MemoryBus(), feed: new MemoryFeed(), clock: systemClock, rng: systemRng },
      ...{ log: silentLog, metrics: noMetrics },
    });
    await actors.start();
    await writeEntries(database, "t", PLAYERS, seededRng(7));
    const startsAt = systemClock.now() + 3_600_000;
    const terms = someTerms(startsAt, { endsAt: startsAt + 3_600_000, graceMs: 0, prizes: SOME_PRIZES });
    await actors.ref(TournamentActor, "t").create(terms, "op", null);
    await actors.ref(TournamentActor, "t").start();
  }

  async function settled(): Promise<object> {
    await actors.ref(TournamentActor, "t").end();
    const isSettled = async () => (await new Tournaments(database).get("t"))?.phase === "settled";
    await until(isSettled, { timeoutMs: DEADLINE_MS, what: "it is settled" });
    const { standings, awards, inventories, tournament } = (await outcomeOf(database, "t")) as {
      standings: object[];
      awards: object[];
      inventories: object[];
      tournament: { players: number; result_hash: string };
    };
    assert.equal(tournament.players, PLAYERS);
    assert.equal(tournament.result_hash, await hashFromSql(database, "t"));
    return { standings, awards, inventories };
  }

  const leaveBehind = (places: readonly number[]): Promise<unknown> =>
    database.write(
      `INSERT INTO standings (tournament_id, place, player_id, player_name, score, subscore, entries)
      VALUES ${places.map(() => "('t', ?, CONCAT('left behind ', ?), 'Nobody', 0, 0, 1)").join(", ")}`,
      places.flatMap((place) => [place, place]),
    );

  it("removes what an attempt that came to nothing has left beside its turn", async () => {
    await open();
    await leaveBehind([PLAYERS / 2 + 1, PLAYERS - 1, PLAYERS]);
    assert.deepEqual(await settled(), expected);
  });

  it("makes another attempt when one that was given up gets in its way in the last moment", async () => {
    let attempts = 0;
    await open({
      loadApart: async (...args) => {
        attempts += 1;
        if (attempts === 1) await leaveBehind([PLAYERS]);
        await database.loadApart(...args);
      },
    });
    assert.deepEqual(await settled(), expected);
    assert.equal(attempts, 2);
  });

  it("stores nothing twice when the half beside the turn is stored and the turn is not", async () => {
    let attempts = 0;
    await open({
      loadApart: async (...args) => {
        attempts += 1;
        await database.loadApart(...args);
        if (attempts === 1) throw Object.assign(new Error("lost"), { code: "PROTOCOL_CONNECTION_LOST" });
      },
    });
    assert.deepEqual(await settled(), expected);
    assert.equal(attempts, 2);
  });
});
