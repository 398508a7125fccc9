import type { Logger } from "pino";
import type { FeedEvent } from "./Feed.ts";

export type FeedListener = (event: FeedEvent) => void;

/** Who hears which topic on this node. */
export class Listeners {
  readonly #byTopic = new Map<string, Set<FeedListener>>();
  readonly #logger: Pick<Logger, "error"> | undefined;

  constructor(logger: Pick<Logger, "error"> | undefined) {
    this.#logger = logger;
  }

  topics(): IterableIterator<string> {
    return this.#byTopic.keys();
  }

  has(topic: string): boolean {
    return this.#byTopic.has(topic);
  }

  /** The returned function takes the listener out again; calling it twice does nothing. */
  add(topic: string, listener: FeedListener): () => void {
    const listeners = this.#byTopic.get(topic) ?? new Set();
    this.#byTopic.set(topic, listeners);
    // one function may be added twice, and each call's own end must leave the other one in
    const entry: FeedListener = (event) => listener(event);
    listeners.add(entry);
    return () => {
      if (listeners.delete(entry) && listeners.size === 0) this.#byTopic.delete(topic);
    };
  }

  /** A listener that throws keeps no event from the others. */
  tell(event: FeedEvent): void {
    for (const listener of [...(this.#byTopic.get(event.topic) ?? [])]) {
      try {
        listener(event);
      } catch (error) {
        this.#logger?.error({ err: error, topic: event.topic, id: event.id }, "A listener of a feed failed");
      }
    }
  }
}
