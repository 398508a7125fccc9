import assert from "node:assert/strict";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import { edgeError } from "../../src/entities/failures.ts";
import type { Database } from "../../src/entities/sql.ts";
import { openDatabase } from "../support/database.ts";
import { countedDatabase } from "./countedDatabase.ts";
import type { Mishap } from "./ProcessLife.ts";
import { CounterActor, EFFECTS_TABLE, kindOf, ManualClock, noMetrics, SimulatedNode } from "./simulation.ts";

/** Beside the one that cannot be taken over. */
const OTHERS = 300;

describe("an actor that cannot be taken over (simulated cluster)", () => {
  let database: Database;
  let clock: ManualClock;
  let failures: string[];
  let reads: number;

  beforeEach(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    await database.write(EFFECTS_TABLE);
    clock = new ManualClock();
    failures = [];
    reads = 0;
    const timers = JSON.stringify([{ name: "tick", due: clock.now(), seq: 1, every: 60_000, policy: "fire" }]);
    for (let at = 0; at <= OTHERS; at += 1) await insert(at === 17 ? "poison" : `c${at}`, timers);
  });

  afterEach(() => database.close());

  const insert = (id: string, timers: string) =>
    database.write(
      `INSERT INTO actors (kind, id, owner, epoch, version, state, timers, due_at, crashes, created_at, updated_at)
       VALUES ('counter', ?, NULL, 1, 0, '{"count":0}', ?, ?, 0, 0, 0)`,
      [id, timers, clock.now()],
    );

  async function start(isGivenUp: () => boolean): Promise<SimulatedNode> {
    const base = countedDatabase(database, ({ sql, params }) => {
      if (!sql.startsWith("SELECT kind, id, owner") || !params.includes("poison")) return;
      reads += 1;
      if (isGivenUp()) throw edgeError("STATEMENT_TIMEOUT", "no answer within 4000 ms");
    });
    const metrics = { ...noMetrics, actorFailed: (kind: string, code: string) => failures.push(`${kind} ${code}`) };
    const parts = { id: "n", hub: new MemoryHub(), database: base, clock };
    const node = new SimulatedNode(parts, [kindOf(CounterActor)], { metrics });
    await node.actors.start();
    return node;
  }

  const fired = async (): Promise<number> => (await database.query("SELECT DISTINCT actor FROM effects")).length;

  for (const [what, timers, isGivenUp] of [
    ["whose row is given up each time it is read", undefined, true],
    ["whose row cannot be understood", "[", false],
  ] as const)
    it(`and ${what}, keeps none of the others from it, and is tried ever more seldom and counted`, async () => {
      if (timers) await database.write("UPDATE actors SET timers = ? WHERE id = 'poison'", [timers]);
      await start(() => isGivenUp);
      await clock.advance(15_000);
      assert.equal(await fired(), OTHERS);
      assert.ok(failures.length > 0 && failures.every((each) => each === "counter internal"), `${failures}`);
      const before = reads;
      await clock.advance(600_000);
      assert.ok(reads - before <= 10, `${reads - before} more reads in ten minutes`);
      assert.ok(reads > before);
    });

  const readOnly = { refuse: Object.assign(new Error("read only"), { errno: 1290, sqlState: "HY000" }) };
  for (const [what, mishap] of [
    ["that is silent", (): Mishap => "fall silent"],
    ["that takes no writes", (sql: string) => (/^(SELECT|BEGIN)/.test(sql) ? undefined : readOnly)],
  ] as const)
    it(`during an outage of the database, ${what}, is taken over within seconds of its end, and so are all others`, async () => {
      const node = await start(() => false);
      node.life.onOperation = (when, sql) => (when === "before" ? mishap(sql) : undefined);
      await clock.advance(60_000);
      assert.equal(await fired(), 0);
      node.life.onOperation = () => undefined;
      await clock.advance(15_000);
      assert.equal(await fired(), OTHERS + 1);
    });

  it("is taken over within seconds after ten minutes in which reads were answered and takeovers were not", async () => {
    const node = await start(() => false);
    node.life.onOperation = (when, sql) =>
      when === "before" && sql.startsWith("UPDATE actors SET owner = ?") ? "fall silent" : undefined;
    await database.write("DELETE FROM actors WHERE id NOT LIKE 'c1_'");
    await clock.advance(600_000);
    assert.equal(await fired(), 0);
    node.life.onOperation = () => undefined;
    await clock.advance(15_000);
    assert.equal(await fired(), 9);
  });

  it("and is one of several whose rows are given up, keeps nobody else from it, and is tried ever more seldom", async () => {
    const poison = new Set(["c1", "c2", "c3", "poison"]);
    const timers = JSON.stringify([{ name: "tick", due: clock.now(), seq: 1, every: 60_000, policy: "fire" }]);
    let tries = 0;
    const base = countedDatabase(database, ({ sql, params }) => {
      if (!sql.startsWith("SELECT kind, id, owner") || !params.some((id) => poison.has(String(id)))) return;
      tries += 1;
      throw edgeError("STATEMENT_TIMEOUT", "no answer within 4000 ms");
    });
    const node = new SimulatedNode({ id: "n", hub: new MemoryHub(), database: base, clock }, [kindOf(CounterActor)]);
    await node.actors.start();
    await clock.advance(60_000);
    assert.equal(await fired(), OTHERS + 1 - poison.size);
    const before = tries;
    for (let at = 0; at < 120; at += 1) {
      await insert(`late${at}`, timers);
      await clock.advance(5000);
    }
    assert.equal(await fired(), OTHERS + 1 - poison.size + 120);
    assert.ok(tries - before <= 20 * poison.size, `${tries - before} more tries in ten minutes`);
  });
});
