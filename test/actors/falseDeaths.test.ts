import assert from "node:assert/strict";
import type { Database } from "../../src/entities/sql.ts";
import { openDatabase } from "../support/database.ts";
import { FailoverWorld } from "./FailoverWorld.ts";
import type { SimulatedNode } from "./simulation.ts";

describe("a node that is taken for dead while actors are in their turns, and comes back", () => {
  let database: Database;
  let world: FailoverWorld;
  /** Where the worker is in a turn. */
  let host: SimulatedNode;

  /** One worker in its first turn on a node to which it has come from one that died, and three more nodes. */
  beforeEach(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    world = new FailoverWorld(database);
    const dead = await world.populate(1);
    for (let others = 0; others < 4; others++) await world.start();
    await world.untilInTurns(1);
    await dead.crash();
    host = await world.nextTurn();
    assert.deepEqual(await world.inHand(), { [host.id]: ["w0"] });
  });

  afterEach(async () => {
    await world.end();
    await database.close();
  });

  /** The host stalls in the middle of the turn, until another node takes it in its place. Returns the one that stalls. */
  async function stallHost(): Promise<SimulatedNode> {
    const stalled = host;
    await stalled.life.stall();
    host = await world.nextTurn();
    assert.notEqual(host, stalled);
    return stalled;
  }

  async function wake(node: SimulatedNode): Promise<void> {
    node.life.wake();
    await world.clock.advance(50);
  }

  it("has nobody blamed for it, and no record of its life before", async () => {
    const stalled = await stallHost();
    assert.deepEqual(await world.blamed(), [`w0 for ${stalled.id}`]);
    await wake(stalled);
    await world.clock.advance(1000);

    assert.deepEqual(await world.blamed(), []);
    assert.deepEqual(await world.inHand(), {});
    assert.deepEqual(await world.quarantined(), []);
  });

  it("quarantines nobody when that happens three times in a row", async () => {
    for (let times = 1; times <= 3; times++) {
      await wake(await stallHost());
      assert.deepEqual(await world.quarantined(), []);
      assert.deepEqual(await world.blamed(), []);
    }
  });

  it("lifts a quarantine that rests on it", async () => {
    const [one, another, last] = [await stallHost(), await stallHost(), host];
    await last.life.stall();
    await world.clock.advance(5000);
    assert.deepEqual(await world.quarantined(), ["w0"]);
    await wake(another);

    assert.deepEqual(await world.quarantined(), []);
    assert.deepEqual(await world.blamed(), [`w0 for ${one.id}`, `w0 for ${last.id}`].toSorted());
    assert.ok((await world.nextTurn()) !== undefined);
  });
});
