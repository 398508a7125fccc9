import type { Clock } from "../clock.ts";
import type { Network } from "../edge/addresses.ts";
import { KeyedBuckets } from "../edge/KeyedBuckets.ts";
import type { TokenBucket } from "../edge/TokenBucket.ts";
import { LIMIT_WINDOW_SECONDS } from "./limits.ts";

/** How often an address may do something, and the networks that it is in. A node counts for itself, in memory. */
export class NetworkRates {
  readonly #perAddress: number;
  readonly #buckets: KeyedBuckets;

  /** `perAddress` in the window of the limits, and as many at once. */
  constructor(perAddress: number, clock: Clock) {
    this.#perAddress = perAddress;
    this.#buckets = new KeyedBuckets(clock);
  }

  /** Counts it for all of these networks. 0, or in how many milliseconds the first of them that has had enough may again. */
  take(networks: readonly Network[]): number {
    for (const network of networks) {
      const bucket = this.#bucketOf(network);
      if (!bucket.take()) return bucket.waitMs();
    }
    return 0;
  }

  /** What `take` would say, and nothing is counted. */
  waitMs(networks: readonly Network[]): number {
    return networks.map((network) => this.#bucketOf(network).waitMs()).find((ms) => ms > 0) ?? 0;
  }

  #bucketOf({ key, shares }: Network): TokenBucket {
    const most = this.#perAddress * shares;
    return this.#buckets.of(key, most / LIMIT_WINDOW_SECONDS, most);
  }
}
