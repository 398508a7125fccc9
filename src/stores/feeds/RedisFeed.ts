import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { connectSubscriber } from "../runtime/redis.ts";
import { FEED_KEEPS, type Feed, type FeedAppend, type FeedCatchUp, type FeedListener } from "./Feed.ts";
import { FeedReader } from "./FeedReader.ts";
import { FeedStreams } from "./FeedStreams.ts";
import { eventOf, positionOf } from "./streams.ts";

/** The feed of a cluster: a Redis Stream a topic, and a channel on which its events are heard. */
export class RedisFeed implements Feed {
  readonly #streams: FeedStreams;
  readonly #reader: FeedReader;

  /** `client` stays the caller's; the connection that hears what is published is opened, and closed, here. */
  constructor(client: Redis, url: string, logger?: Pick<Logger, "info" | "warn" | "error">) {
    this.#streams = new FeedStreams(client);
    this.#reader = new FeedReader(this.#streams, connectSubscriber(url, "feeds", logger), logger);
  }

  async append(events: readonly FeedAppend[]): Promise<void> {
    await this.#streams.append(events);
  }

  async read(topic: string, since: string | undefined, limit: number = FEED_KEEPS): Promise<FeedCatchUp> {
    const position = since === undefined ? undefined : positionOf(since);
    const { generation, read } = await this.#streams.read([{ topic, position }], limit);
    const { reset = false, entries = [] } = read[0] ?? {};
    const isForeign = since !== undefined && position === undefined;
    return { events: entries.map((entry) => eventOf(topic, entry, generation)), reset: reset || isForeign };
  }

  follow(topic: string, listener: FeedListener): Promise<() => void> {
    return this.#reader.follow(topic, listener);
  }

  async close(): Promise<void> {
    this.#streams.close();
    await this.#reader.close();
  }
}
