import assert from "node:assert/strict";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import type { Database } from "../../src/entities/sql.ts";
import { openDatabase } from "../support/database.ts";
import { countedDatabase, type Statement } from "./countedDatabase.ts";
import { CounterActor, EFFECTS_TABLE, kindOf, ManualClock, SimulatedNode } from "./simulation.ts";

/** What a drain may take at most, in milliseconds: the runtime's own. */
const DRAIN_MS = 20_000;

describe("a drain (simulated cluster)", () => {
  let database: Database;
  let clock: ManualClock;
  let hub: MemoryHub;
  let statements: Statement[];
  let work: PromiseWithResolvers<void>;

  class BusyActor extends CounterActor {
    static override readonly kind = "busy";
    async work(): Promise<void> {
      await work.promise;
      this.state.count += 1;
    }
  }

  beforeEach(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    await database.write(EFFECTS_TABLE);
    clock = new ManualClock();
    hub = new MemoryHub();
    statements = [];
    work = Promise.withResolvers();
  });

  afterEach(() => database.close());

  async function start(id: string): Promise<SimulatedNode> {
    const counted = countedDatabase(database, (statement) => statements.push(statement));
    const kinds = [kindOf(CounterActor), kindOf(BusyActor)];
    const node = new SimulatedNode({ id, hub, database: counted, clock }, kinds);
    await node.actors.start();
    await clock.advance(600);
    return node;
  }

  const names = (count: number): string[] => Array.from({ length: count }, (_, at) => `a${at}`);
  const owned = async (owner: string): Promise<number> =>
    (await database.query("SELECT 1 FROM actors WHERE owner = ?", [owner])).length;

  it("goes on though a release fails, and tries that again", async () => {
    const a = await start("a");
    await clock.within(2000, Promise.all(names(1200).map((id) => a.actors.ref(CounterActor, id).add(1))));
    let refusals = 2;
    a.life.onOperation = (when, sql) =>
      when === "before" && sql.includes("SET owner = NULL") && refusals-- > 0 ? { refuse: refused() } : undefined;
    await clock.within(5000, a.actors.drain());
    assert.equal(await owned("a"), 0);
    assert.equal(hub.beats.has("a"), false);
  });

  it("releases what was busy in batches", async () => {
    const a = await start("a");
    const calls = names(600).map((id) => a.actors.ref(BusyActor, id).work());
    await clock.advance(100);
    statements.length = 0;
    const drained = a.actors.drain();
    await clock.advance(200);
    work.resolve();
    await clock.within(5000, Promise.all([drained, ...calls]));
    assert.equal(await owned("a"), 0);
    const releases = statements.filter(({ sql }) => sql.includes("SET owner = NULL"));
    assert.ok(releases.length <= 20, `${releases.length} statements for 600 actors`);
  });

  it("says goodbye in any case: its peers have its actors at once, though its database hangs and a turn does not end", async () => {
    const a = await start("a");
    for (const id of names(20)) await clock.within(500, a.actors.ref(CounterActor, id).startTicking(1000, "fire"));
    void a.actors
      .ref(BusyActor, "stuck")
      .work()
      .catch(() => {});
    const b = await start("b");
    a.life.onOperation = (when) => (when === "before" ? "fall silent" : undefined);
    a.life.pass = () => new Promise(() => {});
    await clock.within(DRAIN_MS + 500, a.actors.drain());
    assert.equal(hub.beats.has("a"), false);
    await clock.advance(1000);
    assert.equal(await owned("b"), 20);
    assert.equal(b.actors.residents, 20);
    a.life.endSilences();
  });
});

const refused = (): Error => Object.assign(new Error("refused"), { code: "ER_CON_COUNT_ERROR" });
