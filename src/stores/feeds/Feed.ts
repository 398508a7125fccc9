/** One event of a feed, as clients get it: `room.send("event", …)`. */
export interface FeedEvent {
  /** The cursor: a client that reconnects passes the last one it saw. Opaque. */
  id: string;
  topic: string;
  /** Epoch milliseconds at which the event was published. */
  at: number;
  type: string;
  data: unknown;
}

/** Where an event stands among those of a sender that counts them, and appends them in that order. */
export interface FeedPosition {
  sender: string;
  version: number;
  /** Within the version. */
  index: number;
}

/** An event on its way into a feed. Appending is idempotent: by its position where it has one, else by `key` for a while. */
export interface FeedAppend {
  key: string;
  from?: FeedPosition;
  topic: string;
  at: number;
  type: string;
  data: unknown;
}

/** Who follows a topic. */
export interface FeedListener {
  onEvent(event: FeedEvent): void;
  /** Events may have been lost: what is known from earlier ones must be read anew. What is certainly new is told after it. */
  onReset(): void;
}

/** What a reader that passes a cursor gets: all it missed, or `reset` when some of that is gone. */
export interface FeedCatchUp {
  /** With `reset`, the newest events that are kept: they replace what the reader knows. */
  events: FeedEvent[];
  reset: boolean;
}

/** How many events a topic keeps (a Redis Stream a few more: it is trimmed by whole nodes). Ten minutes of a busy event. */
export const FEED_KEEPS = 1000;

/**
 * How long the key of an event without a position is remembered, in milliseconds: far longer than any retry of a publisher takes. The
 * last position of a sender is remembered for as long as an idle topic (`FEED_IDLE_MS`).
 */
export const FEED_DEDUPE_MS = 600_000;

/** A topic that nothing was appended to for this long is forgotten, in milliseconds: events end, their topics must not stay. */
export const FEED_IDLE_MS = 7 * 24 * 3_600_000;

/**
 * Append-only topics with ids: a Redis Stream each in a cluster, a ring in memory.
 * Each topic keeps its newest events only (`FEED_KEEPS`). Every method rejects with `unavailable` when the store is out of
 * reach; an append may then have taken effect, and is safe to repeat.
 */
export interface Feed {
  /**
   * Appends in the order given. Left out is an event that stands at or before the last that its sender has appended, and one without a
   * position whose key was appended before (within `FEED_DEDUPE_MS`).
   */
  append(events: readonly FeedAppend[]): Promise<void>;
  /**
   * What came after `since` (exclusive), oldest first; without `since`, the newest events that are kept. At most `limit`
   * events: a reader that missed more gets the newest ones and `reset`. So does a cursor that is malformed or gone, or comes from
   * before the store may have lost something.
   */
  read(topic: string, since: string | undefined, limit?: number): Promise<FeedCatchUp>;
  /**
   * Hears each new event of `topic` on this node from now on, once and in order, across outages of the store, or that some may have
   * been lost; the returned function ends it. What came between a `read` and a `follow` after it is not heard: follow first, then read.
   */
  follow(topic: string, listener: FeedListener): Promise<() => void>;
  close(): Promise<void>;
}
