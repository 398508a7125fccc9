import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { RingmasterError } from "../../errors.ts";
import { connectBlockingRedis, isReplyError, LuaScript } from "../runtime/redis.ts";
import { FEED_DEDUPE_MS, FEED_IDLE_MS, FEED_KEEPS, type Feed, type FeedAppend, type FeedCatchUp } from "./Feed.ts";
import { BLOCK_MS, FeedReader } from "./FeedReader.ts";
import type { FeedListener } from "./Listeners.ts";
import { eventOf, isStreamId, markKey, type StreamEntry, streamKey } from "./streams.ts";

/** Events per script: Redis serves nobody else while one runs. */
const BATCH = 256;

const appendScript = new LuaScript(new URL("./append.lua", import.meta.url));
const readScript = new LuaScript(new URL("./read.lua", import.meta.url));

/** The feed of a cluster: a Redis Stream a topic. An id is the stream's own. */
export class RedisFeed implements Feed {
  readonly #client: Redis;
  readonly #reader: FeedReader;

  /** `client` stays the caller's; the connection that the blocking reader needs is opened, and closed, here. */
  constructor(client: Redis, url: string, logger?: Pick<Logger, "info" | "warn" | "error">) {
    this.#client = client;
    this.#reader = new FeedReader(client, connectBlockingRedis(url, "feeds", BLOCK_MS, logger), logger);
  }

  async append(events: readonly FeedAppend[]): Promise<void> {
    for (let from = 0; from < events.length; from += BATCH) {
      const batch = events.slice(from, from + BATCH);
      const keys = [...batch.map(({ topic }) => streamKey(topic)), ...batch.map(({ key }) => markKey(key))];
      const fields = batch.flatMap(({ at, type, data }) => [at, type, JSON.stringify(data ?? null)]);
      await reach(appendScript.run(this.#client, keys, [FEED_KEEPS, FEED_DEDUPE_MS, FEED_IDLE_MS, ...fields]));
    }
  }

  async read(topic: string, since: string | undefined, limit: number = FEED_KEEPS): Promise<FeedCatchUp> {
    const malformed = since !== undefined && !isStreamId(since);
    const cursor = since === undefined || malformed ? "" : since;
    const reply = await reach(readScript.run(this.#client, [streamKey(topic)], [cursor, limit]));
    const [reset, entries] = reply as [number, StreamEntry[]];
    return { events: entries.map((entry) => eventOf(topic, entry)), reset: malformed || reset === 1 };
  }

  follow(topic: string, listener: FeedListener): Promise<() => void> {
    return reach(this.#reader.follow(topic, listener));
  }

  close(): Promise<void> {
    return this.#reader.close();
  }
}

/** An answer of the server is a fault of ours; anything else means that it is out of reach. */
async function reach<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (isReplyError(error)) throw error;
    throw new RingmasterError("unavailable", undefined, undefined, { cause: error });
  }
}
