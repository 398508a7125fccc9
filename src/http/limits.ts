import type { Request, RequestHandler } from "express";
import type { Redis } from "ioredis";
import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";
import { RingmasterError } from "../errors.ts";
import { identityOf } from "./auth/authenticate.ts";

/** Both limits count over this window. */
const LIMIT_WINDOW_SECONDS = 10;

/** Requests a player may send to the API per window: a page asks for a few, a script that polls is turned away. */
export const REQUESTS_PER_PLAYER = 100;

/** Of the keys in Redis. */
const PREFIX = "ringmaster:limit";

/** The details of a `rate_limited` error. */
export interface RetryAfter {
  retryAfterMs: number;
}

/** What one address and one player may ask of the HTTP endpoints. */
export class RequestLimits {
  readonly #addresses: RateLimiterAbstract;
  readonly #players: RateLimiterAbstract;

  /**
   * Counts in Redis for the whole cluster when `redis` is given, else in memory. While Redis is out of reach each node counts
   * for itself: an outage neither locks people out nor opens the gates. `redis` must fail fast (no offline queue).
   */
  constructor(perAddress: number, redis: Redis | undefined) {
    this.#addresses = limiter("address", perAddress, redis);
    this.#players = limiter("player", REQUESTS_PER_PLAYER, redis);
  }

  /** Counts the request for its address (an IPv6 host has a whole /64). Throws `rate_limited` with `RetryAfter`. */
  readonly perAddress: RequestHandler = async (request, _response, next) => {
    await consume(this.#addresses, addressKey(request.ip ?? request.socket.remoteAddress));
    next();
  };

  /**
   * Counts the request for the player who is signed in, wherever it comes from; operators and viewers are trusted with more.
   * Throws `rate_limited` with `RetryAfter`.
   */
  readonly perPlayer: RequestHandler = async (request: Request, _response, next) => {
    const identity = identityOf(request);
    if (identity?.role === "player") await consume(this.#players, identity.playerId);
    next();
  };
}

function limiter(name: string, points: number, redis: Redis | undefined): RateLimiterAbstract {
  const options = { keyPrefix: `${PREFIX}:${name}`, points, duration: LIMIT_WINDOW_SECONDS };
  if (redis === undefined) return new RateLimiterMemory(options);
  return new RateLimiterRedis({
    ...options,
    storeClient: redis,
    rejectIfRedisNotReady: true,
    insuranceLimiter: new RateLimiterMemory(options),
    // Who is over the limit costs Redis nothing until the window ends.
    inMemoryBlockOnConsumed: points + 1,
  });
}

async function consume(limits: RateLimiterAbstract, key: string): Promise<void> {
  try {
    await limits.consume(key);
  } catch (refusal) {
    if (!(refusal instanceof RateLimiterRes)) throw refusal;
    const details: RetryAfter = { retryAfterMs: Math.max(1, Math.ceil(refusal.msBeforeNext)) };
    throw new RingmasterError("rate_limited", undefined, details);
  }
}

/** IPv4 whole, mapped or not; of IPv6 the first 64 bits, for one host has all that follow them. */
export function addressKey(address: string | undefined): string {
  if (address === undefined) return "unknown";
  const mapped = address.match(/^::ffff:(\d+\.\d+\.\d+\.\d+)$/i);
  if (mapped) return mapped[1]!;
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.split("%")[0]!.split("::");
  const groups = (text: string | undefined): string[] => (text === undefined || text === "" ? [] : text.split(":"));
  const [before, after] = [groups(head), groups(tail)];
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  return [...before, ...new Array<string>(zeros).fill("0"), ...after]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":");
}
