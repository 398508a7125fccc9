import type { Client } from "@colyseus/core";
import { KeyedBuckets } from "../../edge/KeyedBuckets.ts";
import type { TokenBucket } from "../../edge/TokenBucket.ts";
import { RingmasterError } from "../../errors.ts";
import type { Identity } from "../../http/auth/identity.ts";
import { GuardedSocket } from "./GuardedSocket.ts";
import { commonServices, type RoomServices } from "./services.ts";

/** Seats that a player may have in the rooms of a node: a lobby and some events, on some devices. */
const SEATS_OF_A_PLAYER = 16;

const limits = new WeakMap<RoomServices, PlayerLimits>();

/** The name under which a player is kept out. */
export function ownerOf(playerId: string): string {
  return `player:${playerId}`;
}

/** What a player may do on this node, on all connections together. Operators and viewers are trusted with more: their messages count by connection. */
export class PlayerLimits {
  readonly #services: RoomServices;
  readonly #buckets: KeyedBuckets;
  /** By player; none of 0. */
  readonly #seats = new Map<string, number>();

  /** Those of the rooms that have these services, which is all of a process. */
  static of(services: RoomServices): PlayerLimits {
    const common = commonServices(services);
    let known = limits.get(common);
    if (known === undefined) {
      known = new PlayerLimits(common);
      limits.set(common, known);
    }
    return known;
  }

  private constructor(services: RoomServices) {
    this.#services = services;
    this.#buckets = new KeyedBuckets(services.clock);
  }

  /** The bucket that all who give this key share. */
  bucket(key: string, perSecond: number, burst: number): TokenBucket {
    return this.#buckets.of(key, perSecond, burst);
  }

  /** Counts a seat. Throws `rate_limited` when the player has too many, or is kept out; then nothing is counted. */
  take(identity: Identity): void {
    this.check(identity);
    const seats = this.#seats.get(identity.playerId) ?? 0;
    if (identity.role === "player" && seats >= SEATS_OF_A_PLAYER) {
      throw new RingmasterError("rate_limited", `A player has at most ${SEATS_OF_A_PLAYER} seats on a node.`);
    }
    this.#seats.set(identity.playerId, seats + 1);
  }

  /** The seat is free again. */
  giveBack({ playerId }: Identity): void {
    const seats = (this.#seats.get(playerId) ?? 0) - 1;
    if (seats > 0) this.#seats.set(playerId, seats);
    else this.#seats.delete(playerId);
  }

  /** Throws `rate_limited` for a player who is kept out. */
  check({ playerId }: Identity): void {
    const retryAfterMs = this.#services.keptOutMs?.(ownerOf(playerId)) ?? 0;
    if (retryAfterMs > 0) {
      throw new RingmasterError("rate_limited", undefined, { retryAfterMs: Math.ceil(retryAfterMs) });
    }
  }

  /** The connection is this player's, who answers for what comes by it and may send so much. */
  claim({ ref, auth }: Client<{ auth: Identity }>, messagesPerSecond: number, messageBurst: number): void {
    if (!(ref instanceof GuardedSocket) || auth === undefined) return;
    ref.owner = ownerOf(auth.playerId);
    ref.meter?.allow(messagesPerSecond, messageBurst);
  }
}
