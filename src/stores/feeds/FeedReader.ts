import type { Redis } from "ioredis";
import type { Logger } from "pino";
import { sleep, systemClock } from "../../clock.ts";
import { RingmasterError } from "../../errors.ts";
import { FEED_KEEPS, type FeedListener } from "./Feed.ts";
import type { FeedStreams, StreamRead } from "./FeedStreams.ts";
import { Listeners } from "./Listeners.ts";
import {
  BEGINNING,
  eventOf,
  generationOf,
  isAfter,
  type Position,
  parsePublished,
  positionOf,
  type StreamEntry,
  streamKey,
  topicOf,
} from "./streams.ts";

/** Topics a command: Redis serves nobody else while it runs. */
const TOPICS_AT_ONCE = 500;
/** What a topic may have missed for it to be told: below what every stream keeps, so that a hole at its beginning shows. */
const MOST_MISSED = FEED_KEEPS - 1;
/** The pause after a read that failed, in milliseconds. */
const RETRY_MS = 200;
/** How often the subscription's connection is asked whether it lives, in milliseconds. */
const PING_EVERY_MS = 2500;

/** A topic that is followed on this node. */
interface Topic {
  followers: number;
  /** The last entry told. `undefined`: where the stream ends is not known yet. */
  position: Position | undefined;
  /** Something was published that a read under way may not have seen. */
  missed: boolean;
}

/**
 * Hears the topics that are followed on a node: one subscription, a channel a topic, so that Redis sends what is new and nothing else.
 * Each message names the entry before its own. Where that is not the topic's position, and for every topic after a reconnect, the
 * stream is read from the position; a stream that has no such entry in its history any more resets its listeners.
 */
export class FeedReader {
  readonly #streams: FeedStreams;
  readonly #subscriber: Redis;
  readonly #listeners: Listeners;
  readonly #logger: Pick<Logger, "warn" | "error"> | undefined;
  readonly #topics = new Map<string, Topic>();
  /** Those whose streams must be read from their positions on; what is published of them meanwhile is not told. */
  readonly #behind = new Map<string, Topic>();
  #catchingUp: Promise<void> | undefined;
  readonly #cancelPing: () => void;
  #closed = false;

  /** `subscriber` must serve nothing else (`connectSubscriber`); it is disconnected here. */
  constructor(streams: FeedStreams, subscriber: Redis, logger?: Pick<Logger, "warn" | "error">) {
    this.#streams = streams;
    this.#subscriber = subscriber;
    this.#logger = logger;
    this.#listeners = new Listeners(logger);
    subscriber.on("message", (channel: string, message: string) => this.#onMessage(topicOf(channel), message));
    subscriber.on("ready", () => void this.#resume());
    this.#cancelPing = every(PING_EVERY_MS, () => this.#ping());
  }

  /** Rejects with `unavailable` when Redis does not tell where the topic ends. */
  async follow(name: string, listener: FeedListener): Promise<() => void> {
    if (this.#closed) throw new RingmasterError("unavailable", "The feed is closed.");
    const topic = this.#topics.get(name) ?? { followers: 0, position: undefined, missed: false };
    this.#topics.set(name, topic);
    topic.followers += 1;
    try {
      if (topic.position === undefined) await this.#subscribe([name]);
      const start = await this.#streams.end(name);
      topic.position ??= start;
      const remove = this.#listeners.add(name, from(start, listener));
      if (topic.missed) this.#catchUp([[name, topic]]);
      return once(() => {
        remove();
        this.#unfollow(name, topic);
      });
    } catch (error) {
      this.#unfollow(name, topic);
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelPing();
    this.#subscriber.disconnect();
    await this.#catchingUp;
  }

  #unfollow(name: string, topic: Topic): void {
    topic.followers -= 1;
    if (topic.followers > 0) return;
    this.#topics.delete(name);
    this.#behind.delete(name);
    // A connection that breaks before it has done so comes back without the channel.
    this.#subscriber.unsubscribe(streamKey(name)).catch(() => {});
  }

  /** Without a connection there is nothing to do: the next one subscribes to every topic. */
  async #subscribe(names: readonly string[]): Promise<void> {
    try {
      if (this.#subscriber.status === "ready") await this.#subscriber.subscribe(...names.map(streamKey));
    } catch (error) {
      if (this.#subscriber.status === "ready")
        throw new RingmasterError("unavailable", undefined, undefined, { cause: error });
    }
  }

  #onMessage(name: string, message: string): void {
    const topic = this.#topics.get(name);
    if (!topic) return;
    if (topic.position === undefined || this.#behind.has(name)) {
      topic.missed = true;
      return;
    }
    const { position, previous, event } = parsePublished(name, message);
    const continues = topic.position.generation === position.generation;
    if (continues && topic.position.id === previous) {
      topic.position = position;
      this.#listeners.notify(event);
    } else if (!continues || isAfter(position.id, topic.position.id)) this.#catchUp([[name, topic]]);
  }

  /** A new connection has missed whatever was published before it subscribed. */
  async #resume(): Promise<void> {
    const names = [...this.#topics.keys()];
    try {
      for (let at = 0; at < names.length; at += TOPICS_AT_ONCE)
        await this.#subscribe(names.slice(at, at + TOPICS_AT_ONCE));
    } catch (error) {
      this.#logger?.warn({ err: error }, "Redis refuses the subscription to the feeds");
      systemClock.schedule(() => this.#reconnect(), RETRY_MS);
      return;
    }
    this.#catchUp(this.#topics);
  }

  #catchUp(topics: Iterable<[string, Topic]>): void {
    for (const [name, topic] of topics) {
      topic.missed = true;
      if (topic.position) this.#behind.set(name, topic);
    }
    if (this.#catchingUp || this.#behind.size === 0) return;
    this.#catchingUp = this.#readAll().finally(() => {
      this.#catchingUp = undefined;
      // It may have ended in the very moment in which another topic fell behind.
      if (this.#canRead) this.#catchUp([]);
    });
  }

  get #canRead(): boolean {
    return !this.#closed && this.#subscriber.status === "ready";
  }

  async #readAll(): Promise<void> {
    while (this.#behind.size > 0 && this.#canRead) {
      try {
        await this.#readSome();
      } catch (error) {
        if (!this.#canRead) return;
        this.#logger?.warn({ err: error }, "Redis refuses to read the feeds");
        await sleep(systemClock, RETRY_MS);
      }
    }
  }

  async #readSome(): Promise<void> {
    const behind = [...this.#behind].slice(0, TOPICS_AT_ONCE);
    for (const [, topic] of behind) topic.missed = false;
    const { read, generation, done } = await this.#streams.read(
      behind.map(([topic, { position }]) => ({ topic, position })),
      MOST_MISSED,
    );
    for (const [name, topic] of behind.slice(0, done)) if (!topic.missed) this.#behind.delete(name);
    for (const each of read) this.#take(...behind[each.at]!, generation, each);
  }

  #take(name: string, topic: Topic, generation: string, { reset, entries }: StreamRead): void {
    const before = topic.position!;
    if (this.#topics.get(name) !== topic) return;
    topic.position = { generation, id: entries.at(-1)?.[0] ?? BEGINNING };
    if (reset) this.#listeners.reset(name);
    for (const entry of entries) {
      if (!reset || isNew(entry, before, generation)) this.#listeners.notify(eventOf(name, entry, generation));
    }
  }

  /** A subscription only listens, and would not notice that its connection is dead: it has to be asked. */
  #ping(): void {
    const subscriber = this.#subscriber;
    if (subscriber.status !== "ready") return;
    subscriber.ping().catch((error: Error) => {
      if (subscriber.status !== "ready") return;
      this.#logger?.warn({ reason: error.message }, "The connection on which the feeds are heard is dead");
      this.#reconnect();
    });
  }

  #reconnect(): void {
    if (!this.#closed) this.#subscriber.disconnect(true);
  }
}

/** Of a stream that was reset: whether the entry was certainly not told before. */
function isNew(entry: StreamEntry, before: Position, generation: string): boolean {
  return before.generation === generation ? isAfter(entry[0], before.id) : generationOf(entry) === generation;
}

/** A topic that is followed already may have been heard less far than where a new listener starts. */
function from(start: Position, listener: FeedListener): FeedListener {
  let started = false;
  return {
    onEvent: (event) => {
      const { generation, id } = positionOf(event.id)!;
      started ||= generation !== start.generation || isAfter(id, start.id);
      if (started) listener.onEvent(event);
    },
    onReset: () => listener.onReset(),
  };
}

function every(ms: number, work: () => void): () => void {
  let cancel = (): void => {};
  const next = (): void => {
    cancel = systemClock.schedule(() => {
      work();
      next();
    }, ms);
  };
  next();
  return () => cancel();
}

function once(work: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    work();
  };
}
