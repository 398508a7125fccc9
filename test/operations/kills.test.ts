import assert from "node:assert/strict";
import { POPUPS, PopupActor } from "../../src/actors/popups/PopupActor.ts";
import { InventoryOperations } from "../../src/actors/prizes/InventoryOperations.ts";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import { GameQueries } from "../../src/actors/tournaments/GameQueries.ts";
import { seededRng } from "../../src/clock.ts";
import type { AuditOutcome } from "../../src/entities/audit.ts";
import type { Database } from "../../src/entities/sql.ts";
import { bind } from "../../src/operations/Operation.ts";
import { Operations } from "../../src/operations/Operations.ts";
import { POPUP_COMMANDS } from "../../src/operations/popups.ts";
import { PRIZE_COMMANDS } from "../../src/operations/prizes.ts";
import { TOURNAMENT_COMMANDS } from "../../src/operations/tournaments.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import { createLogger } from "../../src/telemetry/log.ts";
import { MortalDatabase } from "../actors/MortalDatabase.ts";
import { kindOf, ManualClock, SimulatedNode } from "../actors/simulation.ts";
import { openDatabase } from "../support/database.ts";

const OPERATOR = { playerId: "op", name: "Op", role: "operator" } as const;
/** Longer than any call, and than it takes to notice that a node is gone. */
const LONG_MS = 20_000;

/** A command, and how it shows in the database that it took effect. */
const COMMANDS: Record<string, { args: object; effect: string }> = {
  openPopup: { args: {}, effect: "SELECT id FROM popup_windows" },
  grantItem: {
    args: { playerId: "p1", item: "TICO", amount: "2", reason: "asked for" },
    effect: "SELECT 1 FROM inventories WHERE player_id = 'p1'",
  },
  createGame: {
    args: { id: "g", name: "G", minScore: 0, maxScore: 1, submissionsPerMinute: 1 },
    effect: "SELECT id FROM games WHERE id = 'g'",
  },
};

/** Where a node dies: at the nth time that it comes to something, before that has happened or before its answer has come. */
interface Death {
  victim: "asked" | "owner";
  when: "before" | "after";
  what: string;
  nth: number;
}

/** The node that is asked, and the one that the popup actor lives on. */
class World {
  readonly clock = new ManualClock();
  readonly database: Database;
  readonly #hub = new MemoryHub();
  readonly #feed = new MemoryFeed(this.clock);
  readonly #nodes = new Map<Death["victim"], SimulatedNode>();

  private constructor(database: Database) {
    this.database = database;
  }

  static async begin(): Promise<World> {
    const world = new World(await openDatabase({ kind: "sqlite", path: ":memory:" }));
    const { clock, database } = world;
    await database.write("INSERT INTO popup_contents (id, title, body, weight) VALUES ('c', 'T', 'B', 1)");
    await database.write("INSERT INTO players (id, name, created_at) VALUES ('p1', 'P', 0)");
    for (const id of ["owner", "asked"] as const) {
      const parts = { id, hub: world.#hub, database, clock, feed: world.#feed };
      const node = new SimulatedNode(parts, [kindOf(PopupActor)]);
      world.#nodes.set(id, node);
      await node.actors.start();
      await clock.advance(600);
      if (id === "owner") await clock.within(1000, node.actors.ref(PopupActor, POPUPS).arm());
    }
    return world;
  }

  #operations(): Operations {
    const { actors, life, clock } = this.#nodes.get("asked")!;
    const [database, rng] = [new MortalDatabase(this.database, life), seededRng(3)];
    const log = createLogger("silent");
    const operations = new Operations({ clock, rng, log, feed: this.#feed, database, nodeId: "asked" });
    operations.add(bind(POPUP_COMMANDS, { actors }));
    operations.add(bind(PRIZE_COMMANDS, { inventories: new InventoryOperations({ database, clock, rng }) }));
    const games = new GameQueries({ database, clock });
    operations.add(bind(TOURNAMENT_COMMANDS, { games, tournamentOperations: undefined as never }));
    return operations;
  }

  /** Gives a command while a node dies as it is told. Answers what the operator hears, if anything. */
  async give(
    name: string,
    death: Death | undefined,
    seen: (death: Death) => void,
  ): Promise<"ok" | "error" | undefined> {
    const counts = new Map<string, number>();
    for (const [victim, { life }] of this.#nodes) {
      const reached = (when: Death["when"], what: string): "crash" | undefined => {
        const nth = (counts.get(`${victim} ${when} ${what}`) ?? 0) + 1;
        counts.set(`${victim} ${when} ${what}`, nth);
        seen({ victim, when, what, nth });
        const isIt = death?.victim === victim && death.when === when && death.what === what && death.nth === nth;
        return isIt ? "crash" : undefined;
      };
      life.onOperation = (when, statement) => reached(when, shapeOf(statement));
      life.onMessage = (when, what) => reached(when, what);
    }
    const operations = this.#operations();
    let answer: "ok" | "error" | undefined;
    const how = { via: "http", scope: "test", requestId: "r1" } as const;
    void operations.run(operations.find("command", name), COMMANDS[name]!.args, OPERATOR, how).then(
      () => (answer = "ok"),
      () => (answer = "error"),
    );
    const isOver = (): boolean => answer !== undefined || this.#nodes.get("asked")!.crashed;
    for (let waited = 0; waited < LONG_MS && !isOver(); waited += 100) await this.clock.advance(100);
    for (const { life } of this.#nodes.values()) {
      life.onOperation = () => undefined;
      life.onMessage = () => undefined;
    }
    // What the other node was in the middle of comes to its end.
    await this.clock.advance(500);
    return answer;
  }

  async tookEffect(name: string): Promise<boolean> {
    return (await this.database.query(COMMANDS[name]!.effect)).length > 0;
  }

  async outcomes(): Promise<AuditOutcome[]> {
    return (await this.database.query<{ outcome: AuditOutcome }>("SELECT outcome FROM audit")).map(
      ({ outcome }) => outcome,
    );
  }

  async end(): Promise<void> {
    for (const node of this.#nodes.values()) await node.crash();
    await this.database.close();
  }
}

/** A statement without its values, of which there may be more or fewer. */
function shapeOf(statement: string): string {
  return statement
    .replaceAll(/\s+/g, " ")
    .replaceAll(/\((\?|, )+\)/g, "(…)")
    .replaceAll(/IN \([\d, ]+\)/g, "IN (…)");
}

describe("A node that is killed while it carries out a command", function () {
  this.timeout(240_000);

  async function deathsOf(name: string): Promise<Death[]> {
    const deaths: Death[] = [];
    const world = await World.begin();
    try {
      assert.equal(await world.give(name, undefined, (death) => deaths.push(death)), "ok");
      assert.ok(await world.tookEffect(name));
      assert.deepEqual(await world.outcomes(), ["done"]);
    } finally {
      await world.end();
    }
    // What goes on beside it comes again and again.
    return deaths.filter(({ nth }) => nth <= 2);
  }

  for (const name of Object.keys(COMMANDS)) {
    it(`leaves a line of ${name} where it took effect, and none as if it had where it did not`, async () => {
      const deaths = await deathsOf(name);
      assert.ok(deaths.some(({ what }) => what === "COMMIT"));
      assert.ok(deaths.length > 6, `${deaths.length} places to die`);
      const seen = { effects: 0, none: 0, unheard: 0 };
      for (const death of deaths) {
        const world = await World.begin();
        try {
          const answer = await world.give(name, death, () => {});
          const [took, outcomes] = [await world.tookEffect(name), await world.outcomes()];
          const where = JSON.stringify({ death, answer, took, outcomes });
          assert.equal(outcomes.includes("done"), took, where);
          assert.ok(outcomes.length <= 1, where);
          if (answer === "ok") assert.ok(took, where);
          seen[took ? "effects" : "none"] += 1;
          if (took && answer !== "ok") seen.unheard += 1;
        } finally {
          await world.end();
        }
      }
      assert.ok(seen.effects > 0 && seen.none > 0 && seen.unheard > 0, JSON.stringify(seen));
    });
  }
});
