import type { Redis } from "ioredis";
import { MemoryBus } from "./actors/runtime/MemoryBus.ts";
import type { Bus } from "./actors/runtime/ports.ts";
import { RedisBus } from "./actors/runtime/RedisBus.ts";
import type { Config } from "./config.ts";
import { clusterMatchmaking, embeddedMatchmaking, type Matchmaking } from "./rooms/runtime/matchmaking.ts";
import type { Feed } from "./stores/feeds/Feed.ts";
import { MemoryFeed } from "./stores/feeds/MemoryFeed.ts";
import { RedisFeed } from "./stores/feeds/RedisFeed.ts";
import { checkEvictionPolicy, connectRedis, whenReady } from "./stores/runtime/redis.ts";
import type { Logger } from "./telemetry/log.ts";

/** What nodes share, or what one process has instead. */
export interface Backplane {
  bus: Bus;
  feed: Feed;
  matchmaking: Matchmaking;
  /** For limits that hold for the whole cluster. */
  limitsRedis: Redis | undefined;
  /**
   * A connection to Redis of its own for a domain's stores, ready and named after its purpose; it is closed with the others. `undefined` for a
   * process alone.
   */
  connect: ((purpose: string) => Promise<Redis>) | undefined;
  /** Told when Redis goes out of reach of any connection, and when all have it back. */
  watch(listener: (reachable: boolean) => void): void;
  close(): Promise<void>;
}

/** Redis for a cluster, memory for one process. */
export function openBackplane(config: Config, log: Logger): Promise<Backplane> {
  return config.redisUrl === undefined ? openMemory() : openRedis(config.redisUrl, config, log);
}

async function openMemory(): Promise<Backplane> {
  const feed = new MemoryFeed();
  const matchmaking = embeddedMatchmaking();
  return {
    bus: new MemoryBus(),
    feed,
    matchmaking,
    limitsRedis: undefined,
    connect: undefined,
    watch: () => {},
    close: async () => {
      await feed.close();
      matchmaking.close();
    },
  };
}

async function openRedis(url: string, { production }: Config, log: Logger): Promise<Backplane> {
  const connections = new Connections(url, log);
  try {
    const [forBus, forFeed, limitsRedis] = await Promise.all(
      ["bus", "feeds", "limits"].map((purpose) => connections.open(purpose)),
    );
    await checkEvictionPolicy(forBus!, production, log);
    const matchmaking = await clusterMatchmaking({ redisUrl: url, logger: log });
    const feed = new RedisFeed(forFeed!, url, log);
    return {
      bus: new RedisBus(forBus!, log),
      feed,
      matchmaking,
      limitsRedis,
      connect: (purpose) => connections.open(purpose),
      watch: (listener) => connections.watch(listener),
      close: async () => {
        await feed.close();
        matchmaking.close();
        connections.close();
      },
    };
  } catch (error) {
    connections.close();
    throw error;
  }
}

/** The connections of a node to Redis, and whether all of them are up. */
class Connections {
  readonly #url: string;
  readonly #log: Logger;
  readonly #clients: Redis[] = [];
  readonly #lost = new Set<Redis>();
  readonly #listeners: Array<(reachable: boolean) => void> = [];

  constructor(url: string, log: Logger) {
    this.#url = url;
    this.#log = log;
  }

  async open(purpose: string): Promise<Redis> {
    const client = connectRedis(this.#url, purpose, this.#log);
    this.#clients.push(client);
    await whenReady(client);
    client.on("close", () => this.#lose(client)).on("ready", () => this.#regain(client));
    return client;
  }

  watch(listener: (reachable: boolean) => void): void {
    this.#listeners.push(listener);
  }

  close(): void {
    for (const client of this.#clients) client.disconnect();
  }

  #lose(client: Redis): void {
    this.#lost.add(client);
    if (this.#lost.size === 1) this.#tell(false);
  }

  #regain(client: Redis): void {
    if (this.#lost.delete(client) && this.#lost.size === 0) this.#tell(true);
  }

  #tell(reachable: boolean): void {
    for (const listener of this.#listeners) listener(reachable);
  }
}
