import assert from "node:assert/strict";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import { openDatabase } from "../../src/entities/database.ts";
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
