import assert from "node:assert/strict";
import { DemoActor } from "../../src/actors/hunts/DemoActor.ts";
import { DEMO_QUESTS } from "../../src/actors/quests/demo.ts";
import { ActorStore } from "../../src/actors/runtime/ActorStore.ts";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import { TournamentDemoActor } from "../../src/actors/tournaments/TournamentDemoActor.ts";
import { hunts } from "../../src/domains/hunts.ts";
import { tournaments } from "../../src/domains/tournaments.ts";
import { Quests } from "../../src/entities/quests/Quest.ts";
import type { Database } from "../../src/entities/sql.ts";
import { Readiness } from "../../src/http/readiness.ts";
import { Lifecycle } from "../../src/lifecycle.ts";
import { startDemos } from "../../src/parts/demo.ts";
import { makeActor } from "../actors/madeActor.ts";
import { kindOf, ManualClock, SimulatedNode, silentLog } from "../actors/simulation.ts";
import { openDatabase } from "../support/database.ts";

/** Longer than a call is waited for, and tried again. */
const CALL_MS = 15_000;

describe("the demo of a node that starts", () => {
  const hub = new MemoryHub();
  const clock = new ManualClock();
  let database: Database;
  const nodes: SimulatedNode[] = [];

  before(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
  });
  after(async () => {
    for (const node of nodes) await node.crash();
    await database.close();
  });

  async function join(id: string): Promise<SimulatedNode> {
    const node = new SimulatedNode({ id, hub, database, clock }, [kindOf(DemoActor), kindOf(TournamentDemoActor)]);
    nodes.push(node);
    const started = node.actors.start();
    await clock.advance(2000);
    await started;
    return node;
  }

  const states = async (): Promise<unknown[]> =>
    (await database.query<{ state: string }>("SELECT state FROM actors WHERE id = 'demo' ORDER BY kind"))
      .map(({ state }) => JSON.parse(state) as { running?: boolean; isRunning?: boolean })
      .map(({ running, isRunning }) => running ?? isRunning);

  it("is begun later, and fails no start, where its actor's node gives no answer just then", async () => {
    const elsewhere = await join("first");
    for (const type of [DemoActor, TournamentDemoActor]) {
      const store = new ActorStore(database, "first");
      await makeActor(store, database, { kind: type.kind, id: "demo" }, clock.now(), type.initial());
      const stopped = elsewhere.actors.ref<DemoActor | TournamentDemoActor>(type, "demo").stop();
      await clock.advance(1000);
      await stopped;
    }
    const node = await join("second");
    const lifecycle = new Lifecycle({ clock, log: silentLog, readiness: new Readiness([]), startTimeoutMs: 60_000 });
    const config = {
      demo: true,
      production: false,
      role: "all",
      database: { kind: "mysql", url: "", pool: 1 },
    } as const;
    const warnings: string[] = [];
    const log = { ...silentLog, warn: (_: unknown, text?: string) => void warnings.push(text ?? "") };
    assert.deepEqual(await states(), [false, false]);
    node.bus.mislays = 1;
    const services = (type: typeof DemoActor | typeof TournamentDemoActor) => ({
      demo: node.actors.ref<DemoActor | TournamentDemoActor>(type, "demo"),
      isEmpty: async () => true,
      seedDemo: () => new Quests(database).seed(DEMO_QUESTS, clock.now()),
    });
    const demos = [
      hunts.definition.demo!(services(DemoActor)),
      tournaments.definition.demo!(services(TournamentDemoActor)),
    ];
    const start = startDemos({ config, lifecycle, log, clock }, demos);
    await clock.advance(CALL_MS);
    await start;
    assert.deepEqual(warnings, ["the demo cannot be started or ended now"]);
    assert.deepEqual(await states(), [true, true]);
    assert.equal((await database.query("SELECT id FROM quests")).length > 0, true);
  });
});
