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

/** An event on its way into a feed. `key` makes appending idempotent: the same key twice appends once. */
export interface FeedAppend {
  key: string;
  topic: string;
  at: number;
  type: string;
  data: unknown;
}

/** What a reader that passes a cursor gets: all it missed, or `reset` when some of that is gone. */
export interface FeedCatchUp {
  events: FeedEvent[];
  reset: boolean;
}

/**
 * Append-only topics with ids: a Redis Stream each in a cluster, a ring in memory.
 * Each topic keeps its newest events only (the bound is the implementation's constant).
 */
export interface Feed {
  /** Appends in the order given; an event whose key was appended before (within the dedupe window) is left out. */
  append(events: readonly FeedAppend[]): Promise<void>;
  /** What came after `since` (exclusive), oldest first; without `since`, the newest events that are kept, at most `limit`. */
  read(topic: string, since: string | undefined, limit?: number): Promise<FeedCatchUp>;
  /** Hears each new event of `topic` on this node from now on; the returned function ends it. */
  follow(topic: string, listener: (event: FeedEvent) => void): Promise<() => void>;
  close(): Promise<void>;
}
