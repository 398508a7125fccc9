import assert from "node:assert/strict";
import { LeftActors } from "../../src/actors/runtime/LeftActors.ts";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import { edgeError } from "../../src/entities/failures.ts";
import { openDatabase } from "../support/database.ts";
import { CounterActor, EFFECTS_TABLE, kindOf, ManualClock, SimulatedNode } from "./simulation.ts";

const MINUTE_MS = 60_000;
const NO_ANSWER = edgeError("STATEMENT_TIMEOUT", "no answer");

/** For how long one is left alone, time after time. */
function waits(error: unknown, meanwhile: (left: LeftActors) => void = () => {}): number[] {
  const left = new LeftActors(new ManualClock());
  return Array.from({ length: 8 }, () => {
    meanwhile(left);
    return left.leave("counter/x", error) / 1000;
  });
}

describe("an actor that cannot be taken over", () => {
  it("is left alone ever longer, up to ten minutes, where that is its own doing", () => {
    assert.deepEqual(waits(new SyntaxError("no JSON")), [10, 20, 40, 80, 160, 320, 600, 600]);
  });

  it("is left alone for two minutes at most where the database did not answer, and no other one has arrived since", () => {
    assert.deepEqual(waits(NO_ANSWER), [10, 20, 40, 80, 120, 120, 120, 120]);
  });

  it("is left alone ever longer where the database has answered for others meanwhile", () => {
    const others = (left: LeftActors): void => left.arrived("counter/other");
    assert.deepEqual(waits(NO_ANSWER, others), [10, 20, 40, 80, 160, 320, 600, 600]);
  });

  it("fires within two minutes of the end of a long outage in which it alone was due (simulated cluster)", async () => {
    const database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    await database.write(EFFECTS_TABLE);
    const clock = new ManualClock();
    const node = new SimulatedNode({ id: "n", hub: new MemoryHub(), database, clock }, [kindOf(CounterActor)]);
    await node.actors.start();
    await clock.advance(600);
    node.life.onOperation = (when, statement) =>
      when === "before" && /UPDATE actors SET owner = \?/.test(statement) ? { refuse: NO_ANSWER } : undefined;
    await database.write(
      `INSERT INTO actors (kind, id, owner, epoch, version, state, timers, due_at, crashes, created_at, updated_at)
       VALUES ('counter', 'x', NULL, 1, 0, '{"count":0}', ?, ?, 0, 0, 0)`,
      [JSON.stringify([{ name: "tick", due: clock.now(), seq: 1 }]), clock.now()],
    );
    await clock.advance(6 * MINUTE_MS);
    node.life.onOperation = () => undefined;
    await clock.advance(2 * MINUTE_MS + 2000);
    assert.equal((await database.query("SELECT 1 FROM effects")).length, 1);
    await node.crash();
    await database.close();
  });
});
