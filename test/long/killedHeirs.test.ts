import assert from "node:assert/strict";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import type { Database } from "../../src/entities/sql.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import { CounterActor, EFFECTS_TABLE, kindOf, ManualClock, SimulatedNode } from "../actors/simulation.ts";
import { openDatabase } from "../support/database.ts";

const TICKING = ["t0", "t1", "t2"];
const PERIOD_MS = 1000;
/** What a dead node has left to be delivered: events of one actor, and what another has told a third. */
const EVENTS = 3;
const TELLS = 3;
const TOPIC = "news";
/** How long a recovery may take, and those before it that were cut short. */
const DEADLINE_MS = 60_000;

/** Where a node dies: at the first, second … occurrence of a statement, before it has happened or before its answer has come. */
interface Death {
  when: "before" | "after";
  statement: string;
  nth: number;
}

/** A cluster of which a node has died, with timers that are due, messages that are not delivered, and a record of whom it was in the hands of. */
class Recovery {
  readonly clock = new ManualClock();
  readonly database: Database;
  readonly #hub = new MemoryHub();
  readonly #feed = new MemoryFeed(this.clock);
  readonly #nodes: SimulatedNode[] = [];

  constructor(database: Database) {
    this.database = database;
  }

  async #start(id: string): Promise<SimulatedNode> {
    const parts = { id, hub: this.#hub, database: this.database, clock: this.clock, feed: this.#feed };
    const node = new SimulatedNode(parts, [kindOf(CounterActor)]);
    this.#nodes.push(node);
    await node.actors.start();
    await this.clock.advance(600);
    return node;
  }

  /** The first node dies, and all that it owned is its own yet. */
  async begin(): Promise<void> {
    await this.database.write(EFFECTS_TABLE);
    const dead = await this.#start("dead");
    const counter = (id: string) => dead.actors.ref(CounterActor, id);
    for (const id of TICKING) await this.clock.within(1000, counter(id).startTicking(PERIOD_MS, "fire"));
    for (const id of ["teller", "told", "publisher"]) await this.clock.within(1000, counter(id).add(0));
    await dead.crash();
    for (let at = 0; at < EVENTS; at++) {
      const message = { topic: TOPIC, at: 0, event: { type: "told", data: { at } } };
      await this.database.write(
        "INSERT INTO actor_events (kind, id, version, idx, owner, message) VALUES ('counter', 'publisher', 1, ?, 'dead', ?)",
        [at, JSON.stringify(message)],
      );
    }
    for (let at = 0; at < TELLS; at++)
      await this.database.write(
        `INSERT INTO actor_tells (kind, id, version, idx, owner, target_kind, target_id, message, created_at, attempts)
         VALUES ('counter', 'teller', 1, ?, 'dead', 'counter', 'told', ?, ?, 0)`,
        [at, JSON.stringify({ method: "add", args: [1] }), this.clock.now()],
      );
    // Of one that is not loaded again: whom it and its heirs are blamed for is another matter.
    await this.database.write(
      "INSERT INTO actor_in_hand (node_id, life, actors, written_at) VALUES ('dead', 'life', ?, 0)",
      [JSON.stringify([["counter", "publisher", 1, 5]])],
    );
  }

  /**
   * A node that takes over, and dies as it is told, unless it is over before it comes to that; `seen` hears of each statement. Returns
   * whether it has died.
   */
  async heir(id: string, death: Death | undefined, seen: (statement: string) => void = () => {}): Promise<boolean> {
    const counts = new Map<string, number>();
    const node = await this.#startDying(id, (when, statement) => {
      if (when === "before") seen(statement);
      const nth = (counts.get(`${when} ${statement}`) ?? 0) + 1;
      counts.set(`${when} ${statement}`, nth);
      return death !== undefined && death.when === when && death.statement === statement && death.nth === nth;
    });
    for (let waited = 0; !node.crashed && !(await this.#isRecovered()); waited += 100) {
      assert.ok(waited < DEADLINE_MS, `${id} neither dies nor recovers all`);
      await this.clock.advance(100);
    }
    return node.crashed;
  }

  async #startDying(
    id: string,
    dies: (when: "before" | "after", statement: string) => boolean,
  ): Promise<SimulatedNode> {
    const node = new SimulatedNode(
      { id, hub: this.#hub, database: this.database, clock: this.clock, feed: this.#feed },
      [kindOf(CounterActor)],
    );
    this.#nodes.push(node);
    node.life.onOperation = (when, statement) => (dies(when, shapeOf(statement)) ? "crash" : undefined);
    // It may die in the middle of this, which then never ends.
    void node.actors.start().catch(() => {});
    await this.clock.advance(600);
    return node;
  }

  async #isRecovered(): Promise<boolean> {
    const [left] = await this.database.query<{ left: number }>(
      "SELECT (SELECT COUNT(*) FROM actor_events) + (SELECT COUNT(*) FROM actor_tells) + (SELECT COUNT(*) FROM actor_in_hand WHERE node_id = 'dead') AS 'left'",
    );
    if (Number(left!.left) > 0) return false;
    const [late] = await this.database.query<{ late: number }>("SELECT COUNT(*) AS late FROM actors WHERE due_at < ?", [
      this.clock.now() - 100,
    ]);
    return Number(late!.late) === 0;
  }

  /** Nothing was lost, and nothing took effect twice. */
  async assertWhole(): Promise<void> {
    for (const id of TICKING) {
      const rows = await this.database.query<{ seq: number }>(
        "SELECT seq FROM effects WHERE actor = ? AND name = 'tick' ORDER BY seq",
        [id],
      );
      assert.ok(rows.length > 0);
      assert.deepEqual(
        rows.map(({ seq }) => seq),
        rows.map((_, at) => at + 1),
        `${id} fired`,
      );
    }
    const [told] = await this.database.query<{ state: string }>("SELECT state FROM actors WHERE id = 'told'");
    assert.deepEqual(JSON.parse(told!.state), { count: TELLS });
    const { events } = await this.#feed.read(TOPIC, undefined);
    assert.deepEqual(
      events.map(({ data }) => data),
      Array.from({ length: EVENTS }, (_, at) => ({ at })),
    );
    assert.deepEqual(await this.database.query("SELECT id FROM actors WHERE crashes >= 4"), []);
    const deaths = await this.database.query<{ node_id: string }>(
      "SELECT node_id FROM actor_blame WHERE id = 'publisher'",
    );
    assert.deepEqual(
      deaths.map(({ node_id }) => node_id),
      ["dead"],
      "the record of the dead node",
    );
  }

  async end(): Promise<void> {
    for (const node of this.#nodes) await node.crash();
    await this.database.close();
  }
}

/** A statement without its values, of which there may be more or fewer. */
function shapeOf(statement: string): string {
  return statement
    .replaceAll(/\s+/g, " ")
    .replaceAll(/\((\?|, )+\)(, \((\?|, )+\))*/g, "(…)")
    .replaceAll(/IN \([\d, ]+\)/g, "IN (…)");
}

/** Of each statement the first and the second time, if there is one, before and after it. */
function deathsAt(statements: readonly string[]): Death[] {
  const counts = new Map<string, number>();
  for (const statement of statements) counts.set(statement, (counts.get(statement) ?? 0) + 1);
  return [...counts].flatMap(([statement, count]) =>
    [1, 2]
      .filter((nth) => nth <= count)
      .flatMap((nth) => (["before", "after"] as const).map((when) => ({ when, statement, nth }))),
  );
}

describe("nodes that die while they take over from one that died", function () {
  this.timeout(600_000);

  async function recover(deaths: readonly Death[], seen?: (statement: string) => void): Promise<void> {
    const recovery = new Recovery(await openDatabase({ kind: "sqlite", path: ":memory:" }));
    try {
      await recovery.begin();
      let died = 0;
      for (const death of deaths) if (await recovery.heir(`heir${died}`, death)) died += 1;
      assert.ok(died > 0 || deaths.length === 0, "nobody has died");
      await recovery.heir("last", undefined, seen);
      await recovery.assertWhole();
    } catch (error) {
      throw new Error(`${deaths.map(({ when, statement, nth }) => `${when} ${statement} (${nth})`).join("; ")}`, {
        cause: error,
      });
    } finally {
      await recovery.end();
    }
  }

  async function statementsOfRecovery(): Promise<string[]> {
    const statements: string[] = [];
    await recover([], (statement) => statements.push(statement));
    return statements;
  }

  it("lose nothing and double nothing, before and after any statement of it", async () => {
    const statements = await statementsOfRecovery();
    // Adopting actors and messages, blaming, being in hand, delivering.
    for (const part of [
      "UPDATE actors SET owner",
      "UPDATE actor_tells SET owner",
      "UPDATE actor_events SET owner",
      "INSERT INTO actor_blame",
      "INSERT INTO actor_in_hand",
      "DELETE FROM actor_in_hand",
      "DELETE FROM actor_tells",
      "DELETE FROM actor_events",
      "COMMIT",
    ])
      assert.ok(
        statements.some((statement) => statement.startsWith(part)),
        `${part} is no part of a recovery`,
      );
    for (const death of deathsAt(statements)) await recover([death]);
  });

  it("lose nothing and double nothing where the next one dies at the same place", async () => {
    for (const death of deathsAt(await statementsOfRecovery())) if (death.nth === 1) await recover([death, death]);
  });
});
