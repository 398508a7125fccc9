import assert from "node:assert/strict";
import { Actor, type ActorContext, type ActorType, type TimerHandlers } from "../../src/actors/runtime/Actor.ts";
import { ActorStore, type TurnWrites } from "../../src/actors/runtime/ActorStore.ts";
import { Actors } from "../../src/actors/runtime/Actors.ts";
import type { ClaimedRow } from "../../src/actors/runtime/actorRow.ts";
import { MemoryBus } from "../../src/actors/runtime/MemoryBus.ts";
import type { TurnOrigin } from "../../src/actors/runtime/TurnGate.ts";
import { seededRng, systemClock } from "../../src/clock.ts";
import type { Database } from "../../src/entities/sql.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import { openDatabase } from "../support/database.ts";
import { migratedDatabaseUrl } from "../support/migratedDatabase.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { noMetrics, silentLog } from "./simulation.ts";

const TIMERS = 60;
const DUE_IN_MS = 1000;

describe("calls beside many timers that wait for a connection to the database", function () {
  this.timeout(60_000);
  let database: Database;
  let actors: Actors;
  /** Whose turns have come to their commit. */
  let fired: Set<string>;
  /** Who has been stored, in this order: by `timer`, `call`, or as `new`. */
  let stored: string[];
  let creating: PromiseWithResolvers<void>;

  class TickingActor extends Actor<{ ticks: number }> {
    static readonly kind = "ticking";
    static initial(): { ticks: number } {
      return { ticks: 0 };
    }

    async start(dueAt: number): Promise<void> {
      this.at("tick", dueAt);
    }

    async touch(): Promise<void> {
      this.state.ticks += 1;
    }

    readonly timers: TimerHandlers = {
      tick: async () => {
        this.state.ticks += 1;
        fired.add(this.id);
      },
    };
  }

  class NotingStore extends ActorStore {
    override async make(...args: Parameters<ActorStore["make"]>): Promise<void> {
      const made = super.make(...args);
      creating.resolve();
      await made;
      stored.push("new");
    }

    override async commitSingle(row: ClaimedRow, writes: TurnWrites, origin: TurnOrigin): Promise<void> {
      await super.commitSingle(row, writes, origin);
      stored.push(origin);
    }
  }

  beforeEach(async () => {
    [fired, stored, creating] = [new Set(), [], Promise.withResolvers()];
    // One connection for turns.
    database = await openDatabase({ kind: "mysql", url: await migratedDatabaseUrl(), pool: 5 });
    actors = new Actors({
      node: { id: "n", role: "all" },
      kinds: [
        {
          type: TickingActor as unknown as ActorType<Actor<unknown>>,
          create: (context: ActorContext) => new TickingActor(context) as unknown as Actor<unknown>,
        },
      ],
      ...{ bus: new MemoryBus(), database, feed: new MemoryFeed(), clock: systemClock, rng: seededRng(1) },
      ...{ log: silentLog, metrics: noMetrics },
      makeStore: (base, nodeId) => new NotingStore(base, nodeId),
    });
    await actors.start();
  });

  afterEach(async () => {
    await actors.drain();
    await actors.stop();
    await database.close();
  });

  it("make an actor and have its first turn stored while most of the timers still wait", async () => {
    const dueAt = Date.now() + DUE_IN_MS;
    const ids = Array.from({ length: TIMERS }, (_, at) => `t${at}`);
    await Promise.all(ids.map((id) => actors.ref(TickingActor, id).start(dueAt)));
    const held = await database.of("turns").begin();
    await until(() => fired.size === TIMERS, { timeoutMs: DEADLINE_MS, what: "all timers fire" });
    creating = Promise.withResolvers();
    stored = [];
    const call = actors.ref(TickingActor, "new").touch();
    await creating.promise;
    await held.rollback();
    await call;
    await until(() => stored.length === TIMERS + 2, { timeoutMs: DEADLINE_MS, what: "all is stored" });

    // Some are stored while it is asked what is known of the actor.
    assert.ok(stored.indexOf("new") < TIMERS / 2, `made behind ${stored.indexOf("new")} timers`);
    assert.ok(stored.indexOf("call") < TIMERS / 2, `its turn behind ${stored.indexOf("call")}`);
  });
});
