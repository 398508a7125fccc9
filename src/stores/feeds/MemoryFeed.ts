import type { Logger } from "pino";
import { type Clock, systemClock, systemRng } from "../../clock.ts";
import { RingmasterError } from "../../errors.ts";
import {
  FEED_DEDUPE_MS,
  FEED_IDLE_MS,
  FEED_KEEPS,
  type Feed,
  type FeedAppend,
  type FeedCatchUp,
  type FeedEvent,
  type FeedListener,
  type FeedPosition,
} from "./Feed.ts";
import { Listeners } from "./Listeners.ts";

interface Topic {
  /** Oldest first; a little longer than `FEED_KEEPS` at times, so that it is cut once per `SLACK` appends. */
  events: FeedEvent[];
  appendedAt: number;
}

const SLACK = 100;

/** The last that a sender has appended, and when it may be forgotten. */
interface Sender extends FeedPosition {
  until: number;
}

/** Beyond this many topics the one appended to longest ago goes: names may come from outside, memory must not follow them. */
const MOST_TOPICS = 10_000;
/** Senders whose last position is remembered; beyond it, the one that appended longest ago is forgotten. */
const MOST_SENDERS = 100_000;

/**
 * The feed of a single process: a ring a topic. Its cursors end with the process; a reader that brings an older one is reset. Nothing is
 * lost while somebody follows.
 */
export class MemoryFeed implements Feed {
  readonly #clock: Clock;
  readonly #listeners: Listeners;
  /** By name, the one appended to longest ago first. */
  readonly #topics = new Map<string, Topic>();
  /** When each appended key may be forgotten, the soonest first. */
  readonly #seen = new Map<string, number>();
  /** By name, the one that appended longest ago first. */
  readonly #senders = new Map<string, Sender>();
  readonly #generation = systemRng.id();
  #sequence = 0;
  #closed = false;

  constructor(clock: Clock = systemClock, logger?: Pick<Logger, "error">) {
    this.#clock = clock;
    this.#listeners = new Listeners(logger);
  }

  async append(events: readonly FeedAppend[]): Promise<void> {
    this.#ensureOpen();
    for (const event of events) {
      this.#forgetOld();
      if (!this.#isNew(event)) continue;
      this.#listeners.notify(this.#push(event));
    }
  }

  /** Notes what is new: as its sender's last where that counts, else its key. */
  #isNew({ key, from }: FeedAppend): boolean {
    if (!from) return this.#isNewKey(key);
    const last = this.#senders.get(from.sender);
    const isAfter = !last || from.version > last.version || (from.version === last.version && from.index > last.index);
    if (!isAfter) return false;
    this.#senders.delete(from.sender);
    this.#senders.set(from.sender, { ...from, until: this.#clock.monotonic() + FEED_IDLE_MS });
    return true;
  }

  #isNewKey(key: string): boolean {
    if (this.#seen.has(key)) return false;
    this.#seen.set(key, this.#clock.monotonic() + FEED_DEDUPE_MS);
    return true;
  }

  async read(name: string, since: string | undefined, limit: number = FEED_KEEPS): Promise<FeedCatchUp> {
    this.#ensureOpen();
    const kept = this.#topics.get(name)?.events.slice(-FEED_KEEPS) ?? [];
    const newest = kept.slice(Math.max(0, kept.length - limit));
    if (since === undefined) return { events: newest, reset: false };
    const at = kept.findLastIndex((event) => event.id === since);
    if (at < 0 || kept.length - 1 - at > limit) return { events: newest, reset: true };
    return { events: kept.slice(at + 1), reset: false };
  }

  async follow(topic: string, listener: FeedListener): Promise<() => void> {
    this.#ensureOpen();
    return this.#listeners.add(topic, listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#topics.clear();
    this.#seen.clear();
    this.#senders.clear();
  }

  #push({ topic: name, at, type, data }: FeedAppend): FeedEvent {
    const topic = this.#topics.get(name) ?? { events: [], appendedAt: 0 };
    this.#topics.delete(name);
    this.#topics.set(name, topic);
    topic.appendedAt = this.#clock.monotonic();
    this.#sequence += 1;
    const id = `${this.#sequence}.${this.#generation}`;
    const event = { id, topic: name, at, type, data: JSON.parse(JSON.stringify(data ?? null)) };
    topic.events.push(event);
    if (topic.events.length >= FEED_KEEPS + SLACK) topic.events = topic.events.slice(-FEED_KEEPS);
    return event;
  }

  /** All are in order of age, so this stops at the first that is young enough. */
  #forgetOld(): void {
    const now = this.#clock.monotonic();
    for (const [key, until] of this.#seen) {
      if (until > now) break;
      this.#seen.delete(key);
    }
    for (const [name, { until }] of this.#senders) {
      if (this.#senders.size <= MOST_SENDERS && until > now) break;
      this.#senders.delete(name);
    }
    for (const [name, topic] of this.#topics) {
      if (this.#topics.size <= MOST_TOPICS && topic.appendedAt + FEED_IDLE_MS > now) break;
      this.#topics.delete(name);
    }
  }

  #ensureOpen(): void {
    if (this.#closed) throw new RingmasterError("unavailable", "The feed is closed.");
  }
}
