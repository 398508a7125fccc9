import assert from "node:assert/strict";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import { TURNS_BOUND } from "../../src/actors/runtime/TurnGate.ts";
import { edgeError } from "../../src/entities/failures.ts";
import { openDatabase } from "../support/database.ts";
import { CounterActor, EFFECTS_TABLE, kindOf, ManualClock, SimulatedNode } from "./simulation.ts";

describe("timers whose turns a database could not store for a minute", () => {
  it("fire within 2 s of its return, each of the missed firings once", async () => {
    const database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    await database.write(EFFECTS_TABLE);
    const clock = new ManualClock();
    const node = new SimulatedNode({ id: "n", hub: new MemoryHub(), database, clock }, [kindOf(CounterActor)]);
    await node.actors.start();
    await clock.advance(600);
    await clock.within(1000, node.actors.ref(CounterActor, "ticking").startTicking(1000, "fire"));
    const refuse = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    node.life.onOperation = (when) => (when === "before" ? { refuse } : undefined);
    await clock.advance(60_000);
    node.life.onOperation = () => undefined;
    await clock.advance(2100);
    const fired = await database.query<{ seq: number }>("SELECT seq FROM effects WHERE name = 'tick' ORDER BY seq");
    assert.ok(fired.length >= 60, `${fired.length} fired`);
    assert.deepEqual(
      fired.map(({ seq }) => seq),
      fired.map((_, at) => at + 1),
    );
    await node.crash();
    await database.close();
  });
});

describe("more timers due at once than turns may be under way", function () {
  this.timeout(120_000);

  it("all fire once where most turns first get no connection in time", async () => {
    const count = TURNS_BOUND + 900;
    const database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    await database.write(EFFECTS_TABLE);
    const clock = new ManualClock();
    const timers = JSON.stringify([{ name: "tick", due: clock.now() + 5000, seq: 1 }]);
    for (let at = 0; at < count; at += 500)
      await database.write(
        `INSERT INTO actors (kind, id, owner, epoch, version, state, timers, due_at, crashes, created_at, updated_at)
         VALUES ${Array.from({ length: Math.min(500, count - at) }, (_, row) => `('counter', 'c${at + row}', NULL, 1, 0, '{"count":0}', ?, ?, 0, 0, 0)`).join(", ")}`,
        Array.from({ length: Math.min(500, count - at) }, () => [timers, clock.now() + 5000]).flat(),
      );
    const node = new SimulatedNode({ id: "n", hub: new MemoryHub(), database, clock }, [kindOf(CounterActor)]);
    await node.actors.start();
    await clock.advance(4900);
    assert.equal(node.actors.residents, count);

    const refuse = edgeError("POOL_TIMEOUT", "no connection was free");
    let refusals = 2 * count;
    node.life.onOperation = (when, statement) =>
      when === "before" && statement === "BEGIN" && refusals-- > 0 ? { refuse } : undefined;
    await clock.advance(10_000);

    assert.ok(refusals < 0);
    const fired = await database.query("SELECT DISTINCT actor FROM effects");
    const times = await database.query("SELECT actor FROM effects");
    assert.deepEqual([fired.length, times.length], [count, count]);
    await node.crash();
    await database.close();
  });
});
