import assert from "node:assert/strict";
import { seededRng } from "../../src/clock.ts";
import type { Database } from "../../src/entities/sql.ts";
import { FailoverWorld, type Fault, TURN_MS } from "../actors/FailoverWorld.ts";
import { openDatabase } from "../support/database.ts";

const COUNT = 10_000;
const CULPRIT = "w7777";
/** What no order of 10,000 suspects does better than for a culprit that crashes now here and now there (docs/adr/0023). */
const ADOPTIONS_WITHOUT_TIMES = 6;

describe("an actor that crashes its nodes, among 10,000 that came with it and whose turns take 200 ms", function () {
  this.timeout(600_000);
  let database: Database;
  let world: FailoverWorld;

  beforeEach(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    world = new FailoverWorld(database);
  });

  afterEach(async () => {
    await world.end();
    await database.close();
  });

  const faults: Array<[string, Fault]> = [
    ["as it is loaded", "at load"],
    ["as its turn begins", 0],
    ["at the end of its turn", TURN_MS - 10],
  ];
  for (const [when, fault] of faults)
    it(`is found after 3 adoptions where it does so ${when}, and keeps nobody waiting`, async () => {
      const { crashed, tookMs } = await world.untilFound(COUNT, { [CULPRIT]: fault });
      assert.equal(crashed, 3);
      assert.ok(tookMs <= 5000, `after the last crash the others took ${tookMs} ms`);
      assert.deepEqual(await world.quarantined(), [CULPRIT]);
    });

  for (const seed of [0, 1, 3])
    it(`is found, and nobody else, after ${ADOPTIONS_WITHOUT_TIMES} at most where it does so anywhere in its turn (seed ${seed})`, async () => {
      const rng = seededRng(seed);
      const { crashed } = await world.untilFound(COUNT, { [CULPRIT]: () => Math.floor(rng.next() * TURN_MS) });
      assert.ok(crashed <= ADOPTIONS_WITHOUT_TIMES, `${crashed} adoptions`);
      assert.deepEqual(await world.quarantined(), [CULPRIT]);
    });
});
