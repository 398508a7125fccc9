import assert from "node:assert/strict";
import type { ResultHead } from "../../src/actors/tournaments/result.ts";
import { ReadingPlaces, Settler } from "../../src/actors/tournaments/Settler.ts";
import type { Settlement } from "../../src/actors/tournaments/settlement.ts";
import type { Database, Row, RowPages } from "../../src/entities/sql.ts";
import { Tournaments } from "../../src/entities/tournaments/Tournament.ts";
import { openDatabase } from "../support/database.ts";
import { someTerms, TournamentWorld, writeEntries } from "./settlements.ts";

const IDS = ["t1", "t2", "t3", "t4", "t5"];

/** The streams of a database: how many are open, and a gate before their first rows. */
class Streams {
  readonly open = new Set<string>();
  most = 0;
  /** Those of these tournaments come to nothing until they are let go of. */
  readonly held = new Set<string>();
  readonly failing = new Set<string>();
  readonly #waiting: (() => void)[] = [];

  constructor(database: Database) {
    const stream = database.stream.bind(database);
    database.stream = (sql, params, page) => this.#watched(String(params[0]), stream(sql, params, page));
  }

  letGo(...ids: string[]): void {
    for (const id of ids) this.held.delete(id);
    for (const go of this.#waiting.splice(0)) go();
  }

  #watched(id: string, pages: RowPages): RowPages {
    this.open.add(id);
    this.most = Math.max(this.most, this.open.size);
    let isOver = false;
    const over = (): void => {
      isOver = true;
      this.open.delete(id);
      this.letGo();
    };
    const next = async (): Promise<IteratorResult<Row[], undefined>> => {
      while (this.held.has(id) && !isOver) await new Promise<void>((go) => this.#waiting.push(go));
      if (this.failing.has(id)) {
        over();
        throw new Error("the standings cannot be read");
      }
      const result = await pages.next();
      if (result.done) over();
      return result;
    };
    const watched: RowPages = {
      next,
      return: async () => {
        over();
        return pages.return();
      },
      [Symbol.asyncIterator]: () => watched,
    };
    return watched;
  }
}

describe("tournaments that settle at the same time", () => {
  let database: Database;
  let world: TournamentWorld;
  let streams: Streams;

  beforeEach(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    streams = new Streams(database);
    world = new TournamentWorld(database);
    await world.join("n0");
    for (const id of IDS) {
      await world.within(world.tournament(id).create(someTerms(world.clock.now(), { graceMs: 0 }), "op", null));
      await writeEntries(database, id, 12);
    }
    await world.clock.advance(100);
  });
  afterEach(() => database.close());

  const endAll = async (): Promise<void> => {
    for (const id of IDS) await world.within(world.tournament(id).end());
  };
  const settled = async (): Promise<string[]> => {
    const records = await Promise.all(IDS.map((id) => new Tournaments(database).get(id)));
    return records.flatMap((record) => (record?.phase === "settled" ? [record.id] : []));
  };

  it("are read two at a time, while the others wait and answer", async () => {
    for (const id of IDS) streams.held.add(id);
    await endAll();
    await world.clock.advance(5000);
    assert.equal(streams.open.size, 2);
    for (const id of IDS.filter((each) => !streams.open.has(each)))
      assert.equal((await world.within(world.tournament(id).status())).phase, "settling");
    streams.letGo(...IDS);
    await world.clock.advance(10_000);
    assert.deepEqual(await settled(), IDS);
    assert.equal(streams.most, 2);
    assert.equal(streams.open.size, 0);
  });

  it("have the place of one that cannot be read, until it can", async () => {
    for (const id of ["t1", "t2"]) streams.failing.add(id);
    await endAll();
    await world.clock.advance(20_000);
    assert.deepEqual(await settled(), ["t3", "t4", "t5"]);
    streams.failing.clear();
    await world.clock.advance(60_000);
    assert.deepEqual(await settled(), IDS);
  });

  it("have the places of those whose standings cannot be stored, until they can", async () => {
    const refuse = "CREATE TRIGGER full BEFORE INSERT ON standings WHEN NEW.tournament_id IN ('t1', 't2')";
    await database.write(`${refuse} BEGIN SELECT RAISE(ABORT, 'there is no room'); END`);
    await endAll();
    await world.clock.advance(20_000);
    assert.deepEqual(await settled(), ["t3", "t4", "t5"]);
    await database.write("DROP TRIGGER full");
    await world.clock.advance(60_000);
    assert.deepEqual(await settled(), IDS);
  });

  it("have the places of those that have moved to another node, each once", async () => {
    for (const id of IDS) streams.held.add(id);
    const places = new ReadingPlaces();
    const settlers = IDS.map(() => new Settler({ database, clock: world.clock }, places));
    const steps = async (): Promise<unknown[]> => {
      const all = Promise.allSettled(
        settlers.map((settler, at) => settler.store(() => assert.fail("nothing is stored"), headOf(IDS[at]!), begun())),
      );
      await world.clock.advance(1000);
      return (await all).map((step) => (step.status === "fulfilled" ? step.value : step.reason.code));
    };
    assert.deepEqual(await steps(), ["sorting", "sorting", "waiting", "waiting", "waiting"]);
    settlers[1]!.close();
    settlers[1]!.close();
    assert.deepEqual(await steps(), ["sorting", "not_delivered", "sorting", "waiting", "waiting"]);
    assert.deepEqual(streams.open, new Set(["t1", "t3"]));
    for (const settler of settlers) settler.close();
    assert.equal(streams.open.size, 0);
  });
});

const begun = (): Settlement => ({ stored: 0, resultHash: null, paidTo: 0 });

function headOf(id: string): ResultHead {
  return { id, game: "snake", operator: "best", order: "desc", startsAt: 0, endsAt: 1, prizes: [], precision: 0 };
}
