import type { Logger } from "pino";
import type { FeedEvent, FeedListener } from "./Feed.ts";

/** Who hears which topic on this node. */
export class Listeners {
  readonly #byTopic = new Map<string, Set<FeedListener>>();
  readonly #logger: Pick<Logger, "error"> | undefined;

  constructor(logger: Pick<Logger, "error"> | undefined) {
    this.#logger = logger;
  }

  has(topic: string): boolean {
    return this.#byTopic.has(topic);
  }

  /** The returned function takes the listener out again; calling it twice does nothing. */
  add(topic: string, listener: FeedListener): () => void {
    const listeners = this.#byTopic.get(topic) ?? new Set();
    this.#byTopic.set(topic, listeners);
    // one listener may be added twice, and each call's own end must leave the other one in
    const entry: FeedListener = { onEvent: (event) => listener.onEvent(event), onReset: () => listener.onReset() };
    listeners.add(entry);
    return () => {
      if (listeners.delete(entry) && listeners.size === 0) this.#byTopic.delete(topic);
    };
  }

  notify(event: FeedEvent): void {
    this.#each(event.topic, (listener) => listener.onEvent(event));
  }

  /** Events of the topic may have been lost. */
  reset(topic: string): void {
    this.#each(topic, (listener) => listener.onReset());
  }

  /** A listener that throws keeps nothing from the others. */
  #each(topic: string, notify: (listener: FeedListener) => void): void {
    for (const listener of [...(this.#byTopic.get(topic) ?? [])]) {
      try {
        notify(listener);
      } catch (error) {
        this.#logger?.error({ err: error, topic }, "A listener of a feed failed");
      }
    }
  }
}
