import { setTimeout as sleep } from "node:timers/promises";
import { ConfigError } from "../config.ts";
import { connectRedis, whenReady } from "../stores/runtime/redis.ts";

/** A hash of all versions: what each node says of itself, which its beats change. */
const NODES = "ringmaster:nodes";

/**
 * Throws a ConfigError where nodes run on this Redis: those that beat within the TTL. For a node that is about to migrate what they cannot
 * live beside, for these reasons; it beats not yet.
 */
export async function assertNoNodes(redisUrl: string, ttlMs: number, reasons: readonly string[]): Promise<void> {
  const redis = connectRedis(redisUrl, "upgrade");
  try {
    await whenReady(redis);
    const before = await redis.hgetall(NODES);
    await sleep(ttlMs);
    const alive = Object.entries(await redis.hgetall(NODES)).filter(([id, beat]) => beat !== before[id]);
    if (alive.length === 0) return;
    const ids = alive.map(([id]) => id).join(", ");
    throw new ConfigError(
      `nodes of another version run (${ids}), which cannot go on beside this one: ${reasons.join("; ")}. Stop them all, then start this version`,
    );
  } finally {
    redis.disconnect();
  }
}
