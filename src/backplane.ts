import type { Redis } from "ioredis";
import { MemoryBus } from "./actors/runtime/MemoryBus.ts";
import type { Bus } from "./actors/runtime/ports.ts";
import { RedisBus } from "./actors/runtime/RedisBus.ts";
import type { Config } from "./config.ts";
import { clusterMatchmaking, embeddedMatchmaking, type Matchmaking } from "./rooms/runtime/matchmaking.ts";
import type { Feed } from "./stores/feeds/Feed.ts";
import { MemoryFeed } from "./stores/feeds/MemoryFeed.ts";
import { RedisFeed } from "./stores/feeds/RedisFeed.ts";
import type { ClueLedger } from "./stores/hunts/ClueLedger.ts";
import { MemoryClueLedger } from "./stores/hunts/MemoryClueLedger.ts";
import { RedisClueLedger } from "./stores/hunts/RedisClueLedger.ts";
import { checkEvictionPolicy, connectRedis, whenReady } from "./stores/runtime/redis.ts";
import { MemorySessionStore } from "./stores/sessions/MemorySessionStore.ts";
import { RedisSessionStore } from "./stores/sessions/RedisSessionStore.ts";
import type { SessionStore } from "./stores/sessions/SessionStore.ts";
import type { Leaderboard } from "./stores/tournaments/Leaderboard.ts";
import { MemoryLeaderboard } from "./stores/tournaments/MemoryLeaderboard.ts";
import { RedisLeaderboard } from "./stores/tournaments/RedisLeaderboard.ts";
import type { Logger } from "./telemetry/log.ts";

/** What nodes share, or what one process has instead. */
export interface Backplane {
  bus: Bus;
  feed: Feed;
  ledger: ClueLedger;
  leaderboard: Leaderboard;
  sessions: SessionStore;
  matchmaking: Matchmaking;
  /** For limits that hold for the whole cluster. */
  limitsRedis: Redis | undefined;
  /** Told when Redis goes out of reach, and when it is back. */
  watch(listener: (reachable: boolean) => void): void;
  close(): Promise<void>;
}

/** Redis for a cluster, memory for one process. */
export function openBackplane(config: Config, log: Logger): Promise<Backplane> {
  return config.redisUrl === undefined ? openMemory(config) : openRedis(config.redisUrl, config, log);
}

async function openMemory({ sessionTimeoutMs }: Config): Promise<Backplane> {
  const feed = new MemoryFeed();
  const ledger = new MemoryClueLedger();
  const leaderboard = new MemoryLeaderboard();
  const sessions = new MemorySessionStore({ timeoutMs: sessionTimeoutMs });
  const matchmaking = embeddedMatchmaking();
  return {
    bus: new MemoryBus(),
    feed,
    ledger,
    leaderboard,
    sessions,
    matchmaking,
    limitsRedis: undefined,
    watch: () => {},
    close: async () => {
      await feed.close();
      await ledger.close();
      await leaderboard.close();
      await sessions.close();
      matchmaking.close();
    },
  };
}

async function openRedis(url: string, { production, sessionTimeoutMs }: Config, log: Logger): Promise<Backplane> {
  const clients: Redis[] = [];
  const connect = (purpose: string): Redis => {
    const client = connectRedis(url, purpose, log);
    clients.push(client);
    return client;
  };
  const [forBus, forFeed, forLedger] = [connect("bus"), connect("feeds"), connect("ledger")];
  const [forBoards, forLimits, forSessions] = [connect("leaderboards"), connect("limits"), connect("sessions")];
  try {
    await Promise.all(clients.map((client) => whenReady(client)));
    await checkEvictionPolicy(forLedger, production, log);
    const matchmaking = await clusterMatchmaking({ redisUrl: url, logger: log });
    const feed = new RedisFeed(forFeed, url, log);
    const ledger = new RedisClueLedger(forLedger);
    const leaderboard = new RedisLeaderboard(forBoards);
    return {
      bus: new RedisBus(forBus, log),
      feed,
      ledger,
      leaderboard,
      sessions: new RedisSessionStore(forSessions, { timeoutMs: sessionTimeoutMs }),
      matchmaking,
      limitsRedis: forLimits,
      watch: (listener) => {
        forLedger.on("close", () => listener(false)).on("ready", () => listener(true));
      },
      close: async () => {
        await feed.close();
        await ledger.close();
        await leaderboard.close();
        matchmaking.close();
        for (const client of clients) client.disconnect();
      },
    };
  } catch (error) {
    for (const client of clients) client.disconnect();
    throw error;
  }
}
