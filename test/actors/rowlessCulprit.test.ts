import assert from "node:assert/strict";
import { Actor, type TimerHandlers } from "../../src/actors/runtime/Actor.ts";
import { SimulatedCluster } from "./SimulatedCluster.ts";

let cluster: SimulatedCluster;
let crashes: number;

/** Whose first turn ends its process. */
class PoisonActor extends Actor<{ n: number }> {
  static readonly kind = "poison";
  static initial(): { n: number } {
    return { n: 0 };
  }
  readonly timers: TimerHandlers = {};

  async take(): Promise<void> {
    crashes += 1;
    await cluster.alive[0]!.crash();
    await new Promise(() => {});
  }
}

class SenderActor extends Actor<{ n: number }> {
  static readonly kind = "sender";
  static initial(): { n: number } {
    return { n: 0 };
  }
  readonly timers: TimerHandlers = {};

  async tell(): Promise<void> {
    this.state.n += 1;
    this.send(PoisonActor, "x").take();
  }
}

/** Far beyond how many deaths it takes to find an actor that is always the only one in hand. */
const MANY = 10;

describe("an actor that crashes its nodes in its first turn, before it has a row (simulated cluster)", () => {
  beforeEach(async () => {
    crashes = 0;
    cluster = await SimulatedCluster.open([PoisonActor, SenderActor]);
    await cluster.advance(600);
  });
  afterEach(() => cluster.database.close());

  it("is in quarantine before it has crashed ten nodes by a message that each of them is told again", async () => {
    // Its node may die before it can answer.
    cluster
      .ref(SenderActor, "s")
      .tell()
      .catch(() => {});
    for (let quietMs = 0; quietMs < 120_000 && crashes < MANY; quietMs += 100) {
      await cluster.advance(100);
      if (cluster.alive.length > 0) continue;
      quietMs = 0;
      await cluster.join();
    }
    assert.ok(crashes > 1, "the first heir knows nothing yet");
    assert.ok(crashes < MANY, `${crashes} nodes have died`);
    const [row] = await cluster.database.query<{ crashes: number }>("SELECT crashes FROM actors WHERE kind = 'poison'");
    assert.equal(row?.crashes, 4, "it is in quarantine");
  });
});
