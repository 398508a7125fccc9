import assert from "node:assert/strict";
import type { QuestDefinition } from "../../src/actors/quests/definition.ts";
import { QUESTS_TOPIC, QuestActor, type QuestNews } from "../../src/actors/quests/QuestActor.ts";
import { QuestService } from "../../src/actors/quests/QuestService.ts";
import { WalletService } from "../../src/actors/quests/WalletService.ts";
import { verifiersFor } from "../../src/actors/quests/walletProof.ts";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import { seededRng } from "../../src/clock.ts";
import { PrizeLedger } from "../../src/entities/prizes/PrizeLedger.ts";
import { Quests } from "../../src/entities/quests/Quest.ts";
import type { Database } from "../../src/entities/sql.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import { kindOf, ManualClock, SimulatedNode } from "../actors/simulation.ts";
import { openDatabase } from "../support/database.ts";
import { hearing } from "../support/hearing.ts";

/** A line of the log, as `[player, quest, round, state]`. */
export type Logged = [string, string, number, string];

/** A node with what players meet of quests on it. */
export interface QuestNode {
  node: SimulatedNode;
  quests: QuestService;
  wallets: WalletService;
}

/** A simulated cluster that runs quests, on one database in memory. */
export class QuestCluster {
  readonly database: Database;
  readonly clock = new ManualClock();
  readonly feed = new MemoryFeed();
  /** What the feed said, in the log's shape. */
  readonly notified: Logged[] = [];
  /** What the services measured: of which end, and how many seconds after it was due. */
  readonly lateness: ["completed" | "lapsed", number][] = [];
  readonly #hub = new MemoryHub();
  #joined = 0;

  static async open(): Promise<QuestCluster> {
    const cluster = new QuestCluster(await openDatabase({ kind: "sqlite", path: ":memory:" }));
    await cluster.feed.follow(
      QUESTS_TOPIC,
      hearing(({ data }) => {
        for (const { questId, state, rounds } of data as QuestNews[])
          for (const [playerId, round] of rounds) cluster.notified.push([playerId, questId, round, state]);
      }),
    );
    return cluster;
  }

  private constructor(database: Database) {
    this.database = database;
  }

  async join(): Promise<QuestNode> {
    const { clock, database, feed } = this;
    const id = `n${this.#joined++}`;
    const node = new SimulatedNode({ id, hub: this.#hub, database, clock, feed }, [kindOf(QuestActor)]);
    await node.actors.start();
    const ports = { actors: node.actors, database, feed, clock };
    const quests = new QuestService({ ...ports, notified: (...end) => this.lateness.push(end) });
    await quests.open();
    const wallets = new WalletService({ ...ports, rng: seededRng(this.#joined), verifiers: verifiersFor(false) });
    return { node, quests, wallets };
  }

  async define(...quests: QuestDefinition[]): Promise<void> {
    for (const quest of quests) await new Quests(this.database).create({ ...quest, createdAt: this.clock.now() }, "op");
  }

  /** Runs a call to its end while time stands nearly still. */
  within<T>(call: Promise<T>): Promise<T> {
    return this.clock.within(200, call, 1);
  }

  async log(...states: string[]): Promise<Logged[]> {
    const rows = await this.database.query<{ player_id: string; quest_id: string; round: number; state: string }>(
      `SELECT * FROM quest_changes WHERE state IN (${states.map(() => "?").join(", ")}) ORDER BY player_id, quest_id, round`,
      states,
    );
    return rows.map((row) => [row.player_id, row.quest_id, row.round, row.state]);
  }

  /** How many rounds are under way. */
  async underWay(): Promise<number> {
    return (await this.database.query("SELECT 1 FROM quest_progress")).length;
  }

  /**
   * Whatever has befallen the nodes: each scheduled round has ended once, and its player was notified once; each completed one
   * is paid once, and nothing else is.
   */
  async assertWhole(): Promise<void> {
    const ended = await this.log("completed", "lapsed");
    const keys = (lines: readonly Logged[]): string[] => lines.map(([...line]) => line.slice(0, 3).join(" ")).sort();
    assert.deepEqual(keys(ended), keys(await this.log("scheduled")), "each scheduled round has ended once");
    const toldOfEnds = this.notified.filter(([, , , state]) => state !== "scheduled");
    assert.deepEqual(toldOfEnds.map(String).sort(), ended.map(String).sort(), "each is notified once");
    const awards = await this.database.query<{ player_id: string; source_id: string }>(
      "SELECT player_id, source_id FROM awards WHERE source = 'quest' AND item = 'TICO'",
    );
    const completed = ended.filter(([, , , state]) => state === "completed");
    assert.equal(awards.length, completed.length, "each completed round is paid once, and nothing else");
    assert.deepEqual(await new PrizeLedger(this.database, seededRng(1)).imbalances(), []);
  }

  close(): Promise<void> {
    return this.database.close();
  }
}
