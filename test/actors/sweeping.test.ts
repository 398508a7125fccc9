import assert from "node:assert/strict";
import type { Actor, ActorType } from "../../src/actors/runtime/Actor.ts";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import { slotOf } from "../../src/actors/runtime/placement.ts";
import type { Database } from "../../src/entities/sql.ts";
import { openDatabase } from "../support/database.ts";
import { countedDatabase, type Statement } from "./countedDatabase.ts";
import { CounterActor, EFFECTS_TABLE, kindOf, ManualClock, SimulatedNode } from "./simulation.ts";

/** The runtime's own: how long a node's silence is borne. */
const TTL_MS = 3000;

/** Of a kind that the nodes of a test need not know. */
class ForeignActor extends CounterActor {
  static override readonly kind = "foreign";
}

describe("sweeping (simulated cluster)", () => {
  let database: Database;
  let clock: ManualClock;
  let hub: MemoryHub;
  /** What each node has asked the database, by its id. */
  let asked: Map<string, Statement[]>;

  beforeEach(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    await database.write(EFFECTS_TABLE);
    clock = new ManualClock();
    hub = new MemoryHub();
    asked = new Map();
  });

  afterEach(() => database.close());

  async function start(id: string, options: ConstructorParameters<typeof SimulatedNode>[2] = {}) {
    const statements: Statement[] = [];
    asked.set(id, statements);
    const counted = countedDatabase(database, (statement) => statements.push(statement));
    const kinds = [CounterActor].map((type) => kindOf(type as ActorType<Actor<unknown>> as never));
    const node = new SimulatedNode({ id, hub, database: counted, clock, seed: asked.size }, kinds, options);
    await node.actors.start();
    await clock.advance(600);
    return node;
  }

  /** Stores actors that nobody has in memory, each with one timer. */
  async function store(count: number, row: { kind?: string; owner: string | null; dueAt: number; from?: number }) {
    const { kind = CounterActor.kind, owner, dueAt, from = 0 } = row;
    const timers = JSON.stringify([{ name: "tick", due: dueAt, seq: 1 }]);
    for (let at = from; at < from + count; at++) {
      await database.write(
        `INSERT INTO actors (kind, id, owner, epoch, version, state, timers, due_at, crashes, created_at, updated_at, slot)
         VALUES (?, ?, ?, 1, 0, '{"count":0}', ?, ?, 0, 0, 0, ?)`,
        [kind, `a${at}`, owner, timers, dueAt, slotOf(`${kind}/a${at}`)],
      );
    }
  }

  const fired = async (): Promise<number> => (await database.query("SELECT DISTINCT actor FROM effects")).length;
  const ownedBy = async (owner: string): Promise<number> =>
    (await database.query("SELECT 1 FROM actors WHERE owner = ?", [owner])).length;
  /** What a node reads to find due actors. */
  const isLook = ({ sql }: Statement): boolean => /SELECT kind, id, slot, due_at/.test(sql);

  it("has the nodes read different actors, and each actor once, when many become due at once", async () => {
    const nodes = [await start("a"), await start("b"), await start("c")];
    await store(3000, { owner: null, dueAt: clock.now() + 2000 });
    for (const statements of asked.values()) statements.length = 0;
    await clock.advance(3000);
    assert.equal(await fired(), 3000);
    const read = [...asked.values()].flat().filter(isLook);
    const rows = read.reduce((sum, statement) => sum + statement.rows, 0);
    assert.ok(rows <= 3300, `${rows} rows were read for 3,000 actors`);
    for (const node of nodes) assert.ok(Math.abs(node.actors.residents - 1000) < 150, `${node.actors.residents}`);
  });

  it("comes past any number of actors that are due at the same moment and that it cannot host", async () => {
    const dueAt = clock.now() - 5000;
    await store(2000, { kind: ForeignActor.kind, owner: null, dueAt });
    await store(20, { owner: null, dueAt });
    await start("a");
    await clock.advance(2000);
    assert.equal(await fired(), 20);
  });

  it("adopts what another node should and does not, a second after it was due", async () => {
    await start("a");
    const b = await start("b");
    b.life.onOperation = (when, sql) => (when === "before" && sql === "BEGIN" ? { refuse: refused() } : undefined);
    await store(60, { owner: null, dueAt: clock.now() + 500 });
    await clock.advance(3500);
    assert.equal(await fired(), 60);
  });

  for (const [what, isIt] of [
    ["adopting", (sql: string) => sql.includes("epoch = epoch + 1")],
    ["freeing", (sql: string) => sql.startsWith("SELECT kind, id FROM actors WHERE owner = ?")],
    ["asking for owners", (sql: string) => sql.includes("SELECT DISTINCT owner")],
    ["the outbox", (sql: string) => sql.includes("FROM actor_outbox WHERE owner")],
    ["releasing", (sql: string) => sql.startsWith("SELECT kind, id FROM actors WHERE (kind, id, epoch)")],
  ] as const) {
    it(`goes on with all else while ${what} gets no answer`, async () => {
      const a = await start("a");
      await clock.within(500, a.actors.ref(CounterActor, "dropped").add(1));
      a.life.onOperation = (when, sql) => (when === "before" && isIt(sql) ? "fall silent" : undefined);
      a.life.pass = () => new Promise(() => {});
      await store(20, { owner: "dead", dueAt: clock.now() + 60_000 });
      await store(20, { owner: null, dueAt: clock.now() + 9000, from: 100 });
      await database.write("INSERT INTO actor_outbox (owner, message) VALUES ('dead', ?)", [
        JSON.stringify({ type: "tell", kind: "counter", id: "told", method: "add", args: [1] }),
      ]);
      // Its turn's outcome is in doubt, so that it has something to release.
      const usual = a.life.onOperation;
      a.life.onOperation = (when, sql) =>
        when === "after" && sql.startsWith("UPDATE actors SET version") ? "lose connection" : usual(when, sql);
      await assert.rejects(clock.within(500, a.actors.ref(CounterActor, "dropped").add(1)));
      a.life.onOperation = usual;
      await clock.advance(TTL_MS + 25_000);
      const done = {
        adopting: (await fired()) === 20,
        freeing: (await ownedBy("dead")) === 0,
        "the outbox": (await database.query("SELECT 1 FROM actor_outbox")).length === 0,
        releasing: (await database.query("SELECT 1 FROM actors WHERE id = 'dropped' AND owner IS NULL")).length === 1,
      };
      const expected: Record<string, boolean> = {
        adopting: true,
        freeing: true,
        "the outbox": true,
        releasing: true,
        [what]: false,
      };
      // Who owns anything is not known: nobody looks for what a node of which nobody has heard left behind.
      if (what === "asking for owners") Object.assign(expected, { freeing: false, "the outbox": false });
      delete expected["asking for owners"];
      assert.deepEqual(done, expected);
    });
  }

  it("asks nothing more about a node that is gone once nothing of it is left", async () => {
    const [a, b] = [await start("a"), await start("b")];
    await clock.advance(1000);
    const perSecond = async (): Promise<number> => {
      asked.get("a")!.length = 0;
      await clock.advance(20_000);
      return asked.get("a")!.length / 20;
    };
    await b.crash();
    await clock.advance(TTL_MS + 10_000);
    const [after, alone] = [await perSecond(), 3 + 6 / 20];
    assert.ok(after <= alone, `${after} statements a second, ${alone} at most when nothing is to be done`);
    // A commit of it that was on its way comes to light all the same.
    await store(1, { owner: "b", dueAt: clock.now() + 60_000 });
    await clock.advance(2 * 10_000 + TTL_MS);
    assert.equal(await ownedBy("b"), 0);
    assert.ok(!a.crashed);
  });

  it("asks who owns anything as often for many nodes as for one", async () => {
    for (let at = 0; at < 8; at++) await start(`n${at}`);
    await clock.advance(10_000);
    for (const statements of asked.values()) statements.length = 0;
    await clock.advance(60_000);
    const censuses = [...asked.values()].flat().filter(({ sql }) => sql.includes("SELECT DISTINCT owner"));
    assert.ok(censuses.length >= 5 && censuses.length <= 8, `${censuses.length} in a minute`);
  });
});

const refused = (): Error => Object.assign(new Error("refused"), { code: "ER_CON_COUNT_ERROR" });
