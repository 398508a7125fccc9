import assert from "node:assert/strict";
import { Actor, type TimerHandlers } from "../../src/actors/runtime/Actor.ts";
import type { Actors } from "../../src/actors/runtime/Actors.ts";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import type { Database } from "../../src/entities/sql.ts";
import { TracedDatabase } from "../../src/entities/TracedDatabase.ts";
import { inRoot, logFields } from "../../src/tracing.ts";
import { openDatabase } from "../support/database.ts";
import { linkedFrom, pathsOf, RecordedTraces } from "../support/traces.ts";
import { kindOf, ManualClock, SimulatedNode, settle } from "./simulation.ts";

let actorsHere: Actors;

class Ledger extends Actor<{ amount: number; traces: object[] }> {
  static readonly kind = "ledger";
  static readonly initial = () => ({ amount: 0, traces: [] });
  readonly timers: TimerHandlers = { audit: async () => this.note() };

  async add(amount: number): Promise<number> {
    this.state.amount += amount;
    return this.state.amount;
  }

  async note(): Promise<void> {
    this.state.traces.push(logFields());
  }

  async sum(): Promise<number> {
    const [row] = await (await this.sql()).query<{ count: number }>(
      "SELECT COUNT(*) AS count FROM actors WHERE kind = ?",
      ["a parameter"],
    );
    return Number(row!.count);
  }

  async askOther(id: string): Promise<number> {
    return actorsHere.ref(Ledger, id).add(2);
  }

  async tell(): Promise<void> {
    this.publish("ledgers", { type: "told", data: null });
  }

  async sendOn(id: string): Promise<void> {
    this.send(Ledger, id).note();
  }

  async auditLater(): Promise<void> {
    this.at("audit", this.now + 5000);
  }
}

describe("the traces of actors on two nodes", () => {
  const clock = new ManualClock();
  let database: Database;
  let hub: MemoryHub;
  let nodes: SimulatedNode[];
  let traces: RecordedTraces;
  /** An actor that lives on the first node, and one on the second. */
  let here: string;
  let there: string;

  beforeEach(async () => {
    database = await openDatabase({ kind: "sqlite", path: ":memory:" });
    hub = new MemoryHub();
    nodes = ["a", "b"].map(
      (id) => new SimulatedNode({ id, hub, database: new TracedDatabase(database), clock }, [kindOf(Ledger)]),
    );
    for (const node of nodes) await node.actors.start();
    await clock.advance(2000);
    actorsHere = nodes[0]!.actors;
    for (let id = 1; id <= 12; id++) await within(actorsHere.ref(Ledger, String(id)).add(1));
    const rows = await database.query<{ id: string; owner: string }>("SELECT id, owner FROM actors");
    [here, there] = ["a", "b"].map((node) => rows.find(({ owner }) => owner === node)!.id) as [string, string];
    traces = RecordedTraces.open();
  });

  afterEach(async () => {
    await traces.close();
    for (const node of nodes) await node.crash();
    await database.close();
  });

  const within = <T>(work: Promise<T>): Promise<T> => clock.within(20_000, work);
  const request = <T>(work: () => Promise<T>): Promise<T> => within(inRoot(() => ({ name: "request" }), work));
  const ledger = (at: number, id: string) => nodes[at]!.actors.ref(Ledger, id);

  it("go from a call through the turn to its statements, also on another node", async () => {
    await request(async () => {
      await ledger(0, here).sum();
      await ledger(0, there).add(3);
    });
    const spans = (await traces.close()).filter(({ name }) => name !== "SQL SELECT actors");
    const paths = pathsOf(spans).filter((path) => path.startsWith("request"));
    assert.deepEqual(paths, [
      "request",
      "request > call ledger.add",
      "request > call ledger.add > turn ledger.add",
      "request > call ledger.add > turn ledger.add > SQL UPDATE actors",
      "request > call ledger.sum",
      "request > call ledger.sum > turn ledger.sum",
      "request > call ledger.sum > turn ledger.sum > SQL transaction",
    ]);
    const turns = spans.filter(({ name }) => name.startsWith("turn"));
    assert.deepEqual(new Set(turns.map(({ attributes }) => attributes["ringmaster.node"])), new Set(["a", "b"]));
    const transaction = spans.find(({ name }) => name === "SQL transaction")!;
    assert.deepEqual(
      transaction.events.map(({ name }) => name),
      ["connected", "UPDATE actors", "SELECT actors", "UPDATE actors", "COMMIT"],
    );
  });

  it("say in a transaction's span why a statement failed, and nothing of its parameters", async () => {
    const traced = new TracedDatabase(database);
    await request(async () => {
      const failing = traced.transaction((tx) => tx.write("INSERT INTO no_such_table VALUES (?)", ["a secret"]));
      await assert.rejects(failing);
    });
    const spans = await traces.close();
    const { attributes, events } = spans.find(({ name }) => name === "SQL transaction")!;
    assert.deepEqual(
      events.map(({ name }) => name),
      ["connected", "INSERT no_such_table", "ROLLBACK"],
    );
    assert.equal(typeof attributes["error.type"], "string");
    assert.ok(!JSON.stringify([attributes, events]).includes("secret"));
  });

  it("go on from one turn to another's", async () => {
    await request(() => ledger(0, here).askOther(there));
    const paths = pathsOf(await traces.close()).filter((path) => path.includes("turn ledger.add"));
    assert.ok(
      paths.includes("request > call ledger.askOther > turn ledger.askOther > call ledger.add > turn ledger.add"),
    );
  });

  it("are linked to by what a message sets off, which is recorded as they are", async () => {
    await request(() => ledger(0, here).sendOn(there));
    await clock.advance(1000);
    const spans = await traces.close();
    const message = spans.find(({ name }) => name === "message ledger.note")!;
    assert.deepEqual(linkedFrom(message, spans), ["turn ledger.sendOn"]);
    assert.equal(message.parentSpanContext, undefined);
    assert.ok(pathsOf(spans).includes("message ledger.note > turn ledger.note"));
  });

  it("do not stay with what delivers a turn's events, which goes on for others", async () => {
    const seen: object[] = [];
    for (const { feed } of nodes) {
      const append = feed.append.bind(feed);
      feed.append = (...events) => {
        seen.push(logFields());
        return append(...events);
      };
    }
    await request(() => ledger(0, here).tell());
    await clock.advance(1000);
    assert.deepEqual(seen, [{}]);
  });

  it("leave no span of a message whose sender was not recorded, though all else is", async () => {
    await within(ledger(0, here).sendOn(there));
    await clock.advance(1000);
    const names = (await traces.close()).map(({ name }) => name);
    assert.deepEqual(
      names.filter((name) => name.startsWith("message") || name.startsWith("turn")),
      [],
    );
  });

  it("are linked to by the timers that they set", async () => {
    await request(() => ledger(0, here).auditLater());
    await clock.advance(6000);
    const spans = await traces.close();
    const timer = spans.find(({ name }) => name === "timer ledger.audit")!;
    assert.deepEqual(linkedFrom(timer, spans), ["turn ledger.auditLater"]);
    assert.equal(timer.parentSpanContext, undefined);
  });

  it("survive in the outbox a node that dies between commit and delivery", async () => {
    // The node dies as soon as it would send the message, which its turn has committed.
    const [dying, heir] = nodes as [SimulatedNode, SimulatedNode];
    dying.life.onMessage = (when, what) => (when === "before" && what === "SEND call" ? "crash" : undefined);
    void inRoot(
      () => ({ name: "request" }),
      () => dying.actors.ref(Ledger, here).sendOn(there),
    ).catch(() => {});
    await clock.advance(15_000);
    await settle();
    await within(heir.actors.ref(Ledger, there).add(1));
    const spans = await traces.close();
    const message = spans.find(({ name }) => name === "message ledger.note");
    assert.ok(message, "the heir has delivered it");
    assert.deepEqual(linkedFrom(message, spans), ["turn ledger.sendOn"]);
  });

  it("cost a row nothing where nothing is recorded", async () => {
    await traces.close();
    traces = RecordedTraces.open(0);
    await request(() => ledger(0, here).auditLater());
    const [row] = await database.query<{ timers: string }>("SELECT timers FROM actors WHERE id = ?", [here]);
    assert.ok(!row!.timers.includes("trace"), row!.timers);
  });
});
