import type { FeedEvent, FeedListener } from "../../src/stores/feeds/Feed.ts";

/** A listener of a feed that hears its events. */
export function hearing(onEvent: (event: FeedEvent) => void, onReset: () => void = () => {}): FeedListener {
  return { onEvent, onReset };
}
