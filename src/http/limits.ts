import type { Request, RequestHandler } from "express";
import type { Redis } from "ioredis";
import { type RateLimiterAbstract, RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";
import type { Log } from "../actors/runtime/ports.ts";
import { systemClock } from "../clock.ts";
import { clientAddress, NETWORK_SHARES, type Network, networksOf } from "../edge/addresses.ts";
import { KeepOut } from "../edge/KeepOut.ts";
import { RingmasterError } from "../errors.ts";
import { identityOf } from "./auth/authenticate.ts";

/** All limits count over this window. */
export const LIMIT_WINDOW_SECONDS = 10;

/** Requests an address may send per window, unless told. */
export const DEFAULT_PER_ADDRESS = 1000;

/** Requests a player may send to the API per window: a page asks for a few, a script that polls is turned away. */
export const REQUESTS_PER_PLAYER = 100;

/** Of the keys in Redis. */
const PREFIX = "ringmaster:limit";

/** The details of a `rate_limited` error. */
export interface RetryAfter {
  retryAfterMs: number;
}

export interface LimitOptions {
  /** Requests of an address a window. */
  perAddress: number;
  /** Counts for the whole cluster where it is given, else in memory. It must fail fast (no offline queue). */
  redis?: Redis | undefined;
  /** Whether `X-Forwarded-For` is believed. */
  trustProxy?: boolean;
  /** Whose connections were ended for what they did. */
  keepOut?: KeepOut;
  /** Told at most once a minute that requests are refused for their address, which may be a school's. */
  log?: Pick<Log, "warn">;
}

/** How often it is logged that addresses meet their limit, in milliseconds. */
const TOLD_EVERY_MS = 60_000;
const ADDRESS_IS_FULL = "Too many requests at once from this network, which may be of many players; wait a moment.";

/**
 * What one address and one player may ask of the HTTP endpoints. While Redis is out of reach each node counts for itself: an outage
 * neither locks people out nor opens the gates.
 */
export class RequestLimits {
  /** By how many times an address's share they allow. */
  readonly #networks: ReadonlyMap<number, RateLimiterAbstract>;
  readonly #players: RateLimiterAbstract;
  readonly #trustProxy: boolean;
  readonly #keepOut: KeepOut;
  readonly #log: Pick<Log, "warn"> | undefined;
  #refused = 0;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor({ perAddress, redis, trustProxy = false, keepOut = new KeepOut(systemClock), log }: LimitOptions) {
    this.#log = log;
    this.#networks = new Map(NETWORK_SHARES.map((shares) => [shares, limiter("address", perAddress * shares, redis)]));
    this.#players = limiter("player", REQUESTS_PER_PLAYER, redis);
    this.#trustProxy = trustProxy;
    this.#keepOut = keepOut;
  }

  /**
   * Counts the request for its address: of IPv6 for the /64 that a host has, and with more to spend for the /56 and the /48 about it.
   * Throws `rate_limited` with `RetryAfter`.
   */
  readonly perAddress: RequestHandler = async (request, _response, next) => {
    const networks = networksOf(clientAddress(request, this.#trustProxy));
    this.#refuseKeptOut(networks);
    const refused = (): void => this.#tell();
    await Promise.all(networks.map(({ key, shares }) => consume(this.#networks.get(shares)!, key, refused)));
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

  /** Throws `rate_limited` with `RetryAfter` for an address that is kept out, and counts nothing. */
  readonly unlessKeptOut: RequestHandler = (request, _response, next) => {
    this.#refuseKeptOut(networksOf(clientAddress(request, this.#trustProxy)));
    next();
  };

  #refuseKeptOut([address]: readonly Network[]): void {
    const keptOutMs = this.#keepOut.remainingMs(address!.key);
    if (keptOutMs > 0) throw tooMany(keptOutMs);
  }

  #tell(): void {
    this.#refused += 1;
    const now = systemClock.monotonic();
    if (now - this.#toldAt < TOLD_EVERY_MS) return;
    this.#toldAt = now;
    this.#log?.warn({ refused: this.#refused }, "an address sends more than RATE_LIMIT_PER_ADDRESS lets it");
    this.#refused = 0;
  }
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

async function consume(limits: RateLimiterAbstract, key: string, refused?: () => void): Promise<void> {
  try {
    await limits.consume(key);
  } catch (refusal) {
    if (!(refusal instanceof RateLimiterRes)) throw refusal;
    refused?.();
    throw tooMany(refusal.msBeforeNext, refused && ADDRESS_IS_FULL);
  }
}

/** The refusal of who may come again in so many milliseconds. */
export function tooMany(ms: number, message?: string): RingmasterError {
  const details: RetryAfter = { retryAfterMs: Math.max(1, Math.ceil(ms)) };
  return new RingmasterError("rate_limited", message, details);
}
