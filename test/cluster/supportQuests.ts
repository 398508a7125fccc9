import { setTimeout as pause } from "node:timers/promises";
import { QUESTS_TOPIC, type QuestNews } from "../../src/actors/quests/QuestActor.ts";
import { QuestService } from "../../src/actors/quests/QuestService.ts";
import { Actors } from "../../src/actors/runtime/Actors.ts";
import { RedisBus } from "../../src/actors/runtime/RedisBus.ts";
import { systemClock, systemRng } from "../../src/clock.ts";
import type { Database } from "../../src/entities/sql.ts";
import type { Feed } from "../../src/stores/feeds/Feed.ts";
import { RedisFeed } from "../../src/stores/feeds/RedisFeed.ts";
import { connectRedis, whenReady } from "../../src/stores/runtime/redis.ts";
import { noMetrics, silentLog } from "../actors/simulation.ts";
import { openDatabase } from "../support/database.ts";
import { hearing } from "../support/hearing.ts";

/** How a round ended, as a node heard of it. Times are epoch milliseconds. */
export interface HeardEnd {
  playerId: string;
  questId: string;
  round: number;
  state: QuestNews["state"];
  dueAt: number;
  heardAt: number;
}

/** A node without actors of its own in the process of the test: where all the players are connected. */
export class PlayersNode {
  readonly database: Database;
  readonly actors: Actors;
  readonly quests: QuestService;
  /** Completed and lapsed rounds, in the order heard. */
  readonly heard: HeardEnd[] = [];
  readonly #feed: Feed;
  readonly #redis: ReturnType<typeof connectRedis>;

  static async join(redisUrl: string, databaseUrl: string): Promise<PlayersNode> {
    const redis = connectRedis(redisUrl, "players");
    await whenReady(redis);
    const database = await openDatabase({ kind: "mysql", url: databaseUrl, pool: 32 });
    const node = new PlayersNode(redis, database, new RedisFeed(redis, redisUrl));
    await node.actors.start();
    await node.quests.open();
    await node.#feed.follow(
      QUESTS_TOPIC,
      hearing(({ data }) => node.#hear(data as QuestNews[])),
    );
    return node;
  }

  private constructor(redis: ReturnType<typeof connectRedis>, database: Database, feed: Feed) {
    this.#redis = redis;
    this.#feed = feed;
    this.database = database;
    this.actors = new Actors({
      node: { id: "players", role: "web" },
      kinds: [],
      bus: new RedisBus(redis, silentLog),
      database,
      feed,
      clock: systemClock,
      rng: systemRng,
      log: silentLog,
      metrics: noMetrics,
    });
    this.quests = new QuestService({ actors: this.actors, database, feed, clock: systemClock, notified: () => {} });
  }

  /** Starts a quest for each player, as many clients do at once: who is told that it did not arrive, or may not have, asks again. */
  async startAll(players: readonly string[], questOf: (at: number) => string): Promise<void> {
    const waiting = players.map((playerId, at) => ({ playerId, questId: questOf(at) }));
    const client = async (): Promise<void> => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const { playerId, questId } = next;
        await this.quests.start(playerId, questId).catch(async (error: { code?: string }) => {
          if (!["not_delivered", "outcome_unknown", "unavailable", "overloaded"].includes(error.code ?? ""))
            throw error;
          await pause(50);
          waiting.push({ playerId, questId });
        });
      }
    };
    await Promise.all(Array.from({ length: 1000 }, client));
  }

  /** The parts of quests that each node owns, by its address. */
  async partsByAddress(): Promise<Map<string, string[]>> {
    const rows = await this.database.query<{ id: string; owner: string }>(
      "SELECT id, owner FROM actors WHERE kind = 'quests' AND owner IS NOT NULL ORDER BY id",
    );
    const addresses = new Map(this.actors.membership.live().map(({ id, publicAddress }) => [id, publicAddress ?? id]));
    const parts = Map.groupBy(rows, ({ owner }) => addresses.get(owner) ?? owner);
    return new Map([...parts].map(([address, owned]) => [address, owned.map(({ id }) => id)]));
  }

  #hear(news: QuestNews[]): void {
    const heardAt = Date.now();
    for (const { questId, state, rounds } of news) {
      if (state === "scheduled") continue;
      for (const [playerId, round, dueAt] of rounds)
        this.heard.push({ playerId, questId, round, state, dueAt, heardAt });
    }
  }

  async close(): Promise<void> {
    this.quests.close();
    await this.actors.drain();
    await this.actors.stop();
    await this.#feed.close();
    this.#redis.disconnect();
    await this.database.close();
  }
}

/** `p50 12 ms, p99 80 ms, max 95 ms` */
export function latenessOf(ends: readonly HeardEnd[]): string {
  const ms = ends.map(({ heardAt, dueAt }) => heardAt - dueAt).sort((a, b) => a - b);
  const at = (share: number): number => ms[Math.min(ms.length - 1, Math.floor(ms.length * share))] ?? 0;
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`;
}
