import assert from "node:assert/strict";
import type { Database } from "../../src/entities/sql.ts";
import { openDatabase } from "../support/database.ts";
import { FailoverWorld, type Fault } from "./FailoverWorld.ts";

/** The runtime's own: how long a node's silence is borne. */
const TTL_MS = 3000;

describe("the failover of actors whose turns take 200 ms", function () {
  this.timeout(300_000);
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

  for (const count of [400, 10_000])
    it(`has the last of ${count} answer within TTL + 2 s of the first, the second and the third crash within a minute`, async () => {
      let victim = await world.populate(count);
      for (let crash = 1; crash <= 3; crash++) {
        const heir = await world.start();
        await world.untilInTurns(Math.min(count, 4000));
        await victim.crash();
        const tookMs = await world.lastAnswer(count);

        assert.ok(tookMs <= TTL_MS + 2000, `after crash ${crash} the last one answered after ${tookMs} ms`);
        victim = heir;
      }
      assert.deepEqual(await world.quarantined(), []);
    });

  /** Lets nodes die of the culprits, none of which may keep the others waiting; returns how many adoptions crashed. */
  async function crashesOf(count: number, culprits: Record<string, Fault>): Promise<number> {
    const { crashed, tookMs } = await world.untilFound(count, culprits);
    assert.ok(tookMs <= TTL_MS + 2000, `after the last crash the others took ${tookMs} ms`);
    return crashed;
  }

  const faults: Array<[string, Fault]> = [
    ["as it is loaded", "at load"],
    ["as its turn begins", 0],
    ["in the middle of its turn", 100],
    ["at the end of its turn", 190],
  ];
  for (const [when, fault] of faults)
    it(`puts an actor that crashes its node ${when} into quarantine after 3 adoptions that crashed, and none of 400`, async () => {
      assert.equal(await crashesOf(400, { w200: fault }), 3);
      assert.deepEqual(await world.quarantined(), ["w200"]);
    });

  it("finds one that crashes its node in the middle of its turn after 3 adoptions also among 10,000", async () => {
    assert.equal(await crashesOf(10_000, { w7777: 100 }), 3);
    assert.deepEqual(await world.quarantined(), ["w7777"]);
  });

  it("finds two at once, each after 3 adoptions that it crashed, and nobody else", async () => {
    assert.ok((await crashesOf(400, { w100: 0, w300: 100 })) <= 6);
    assert.deepEqual(await world.quarantined(), ["w100", "w300"]);
  });
});
