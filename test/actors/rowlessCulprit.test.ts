import assert from "node:assert/strict";
import { Actor, type ActorContext, type ActorType } from "../../src/actors/runtime/Actor.ts";
import type { ActorKind } from "../../src/actors/runtime/ActorKinds.ts";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import type { Database } from "../../src/entities/sql.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import { openDatabase } from "../support/database.ts";
import { CounterActor, EFFECTS_TABLE, kindOf, ManualClock, SimulatedNode } from "./simulation.ts";

/** Whose first turn ends its process, whatever it is told. */
class PoisonActor extends Actor<{ n: number }> {
  static readonly kind = "poison";
  static initial(): { n: number } {
    return { n: 0 };
  }
  readonly timers = {};
  readonly node: () => SimulatedNode;
  constructor(context: ActorContext, node: () => SimulatedNode) {
    super(context);
    this.node = node;
  }
  async add(): Promise<void> {
    await this.node().crash();
    await new Promise(() => {});
  }
}

class SenderActor extends Actor<{ n: number }> {
  static readonly kind = "sender";
  readonly timers = {};
  static initial(): { n: number } {
    return { n: 0 };
  }
  async tell(): Promise<void> {
    this.state.n += 1;
    this.send(PoisonActor, "x").add();
  }
}

describe("an actor that crashes its nodes in its first turn, before it has a row (simulated cluster)", () => {
  let database: Database;
  const clock = new ManualClock();
  beforeEach(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    await database.write(EFFECTS_TABLE);
  });
  afterEach(() => database.close());

  it("is in quarantine before it has crashed ten nodes", async () => {
    const hub = new MemoryHub();
    const feed = new MemoryFeed(clock);
    let started = 0;
    const start = async (): Promise<SimulatedNode> => {
      const kind: ActorKind = {
        type: PoisonActor as unknown as ActorType<Actor<unknown>>,
        create: (context) => new PoisonActor(context, () => node) as unknown as Actor<unknown>,
      };
      const parts = { id: `n${started++}`, hub, database, clock, feed };
      const node: SimulatedNode = new SimulatedNode(parts, [kind, kindOf(SenderActor), kindOf(CounterActor)]);
      await node.actors.start();
      await clock.advance(600);
      return node;
    };
    let node = await start();
    await clock.within(
      5000,
      node.actors
        .ref(SenderActor, "s")
        .tell()
        .catch(() => {}),
    );
    let crashes = 0;
    for (; crashes < 10; crashes += 1) {
      for (let waited = 0; waited < 120_000 && !node.crashed; waited += 100) await clock.advance(100);
      if (!node.crashed) break;
      node = await start();
    }
    assert.ok(crashes < 10, `${crashes} nodes have died`);
  });
});
