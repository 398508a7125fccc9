import type { Clock } from "../clock.ts";
import { TokenBucket } from "./TokenBucket.ts";

/** How many keys are remembered; whoever would use more addresses than this meets the limits of the networks that these are in. */
const MOST_KEYS = 100_000;

/** A token bucket for each key, of those that were heard of last. */
export class KeyedBuckets {
  readonly #clock: Clock;
  /** Those heard of last come last. */
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The key's bucket. A key that is not known, or no more, has a full one of these numbers. */
  of(key: string, perSecond: number, burst: number): TokenBucket {
    const bucket = this.#buckets.get(key) ?? new TokenBucket(perSecond, burst, this.#clock);
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > MOST_KEYS) this.#buckets.delete(this.#buckets.keys().next().value!);
    return bucket;
  }
}
