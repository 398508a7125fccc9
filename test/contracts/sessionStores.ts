import { connectRedis, whenReady } from "../../src/stores/runtime/redis.ts";
import { MemorySessionStore } from "../../src/stores/sessions/MemorySessionStore.ts";
import { RedisSessionStore } from "../../src/stores/sessions/RedisSessionStore.ts";
import type { SessionLimits, SessionStore } from "../../src/stores/sessions/SessionStore.ts";
import { freshRedisUrl } from "../support/servers.ts";

/** A store under test, which nobody else uses. */
export interface OpenSessionStore {
  open(limits: SessionLimits): Promise<SessionStore>;
  close(): Promise<void>;
}

/** Both implementations, by the name that a test's title gives them. */
export const SESSION_STORES: { name: string; connect: () => Promise<OpenSessionStore> }[] = [
  {
    name: "MemorySessionStore",
    connect: async () => ({ open: async (limits) => new MemorySessionStore(limits), close: async () => {} }),
  },
  {
    name: "RedisSessionStore",
    async connect() {
      const redis = connectRedis(await freshRedisUrl(), "sessions-test");
      await whenReady(redis);
      return {
        async open(limits) {
          await redis.flushall();
          return new RedisSessionStore(redis, limits);
        },
        close: async () => redis.disconnect(),
      };
    },
  },
];
