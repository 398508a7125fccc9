import type { FeedListener } from "../../src/stores/feeds/Feed.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";

/** A feed whose followers can be told that it may have lost something. */
export class LossyFeed extends MemoryFeed {
  readonly #listeners = new Set<FeedListener>();

  override async follow(topic: string, listener: FeedListener): Promise<() => void> {
    const unfollow = await super.follow(topic, listener);
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      unfollow();
    };
  }

  lose(): void {
    for (const listener of this.#listeners) listener.onReset();
  }
}
