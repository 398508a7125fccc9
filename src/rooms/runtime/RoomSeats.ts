import { Room } from "@colyseus/core";
import { RingmasterError } from "../../errors.ts";
import type { Identity } from "../../http/auth/identity.ts";
import type { RoomClient } from "./BaseRoom.ts";
import { PlayerLimits } from "./PlayerLimits.ts";
import type { Seats } from "./seats.ts";
import type { RoomServices } from "./services.ts";

/** The seat of a player who has hardly been there is kept so long, in seconds: who drops out at once comes back at once, or not at all. */
const LEAST_KEPT_SECONDS = 15;

export type SeatArguments = Parameters<Room["_reserveSeat"]>;

/**
 * The seats of one room. Colyseus gives them and keeps them for who has dropped out; here it is decided who may have one, and whose
 * each is.
 */
export class RoomSeats {
  readonly #room: Room;
  readonly #services: RoomServices;
  /** Who has a seat, by session id, also while dropped. */
  readonly #owners = new Map<string, Identity>();
  /** When each of these seats was taken first, on the monotonic clock. */
  readonly #takenAt = new Map<string, number>();
  #isClosing = false;

  constructor(room: Room, services: RoomServices) {
    this.#room = room;
    this.#services = services;
  }

  /** The client takes its seat. Throws `rate_limited` when its player has too many, or is kept out of this node. */
  take({ sessionId, auth }: RoomClient): void {
    PlayerLimits.of(this.#services).take(auth!);
    this.#owners.set(sessionId, auth!);
    this.#takenAt.set(sessionId, this.#services.clock.monotonic());
  }

  /**
   * For how many seconds the seat is kept for a client that has dropped out: as long as it was there, within bounds. Each kept seat takes
   * some 10 kB, which many who join and drop out at once would have for as long.
   */
  keptSeconds({ sessionId }: RoomClient, most: number): number {
    const now = this.#services.clock.monotonic();
    const seconds = (now - (this.#takenAt.get(sessionId) ?? now)) / 1000;
    return Math.min(most, Math.max(LEAST_KEPT_SECONDS, seconds));
  }

  /** Nobody comes back to the client's seat. */
  giveBack({ sessionId, auth }: RoomClient): void {
    this.#owners.delete(sessionId);
    this.#takenAt.delete(sessionId);
    PlayerLimits.of(this.#services).giveBack(auth!);
  }

  /** Whose seat it is, by the token with which it was taken up last. */
  ownerOf(sessionId: string): Identity | undefined {
    return this.#owners.get(sessionId);
  }

  /**
   * Lets the player of this token take up the seat again: a reconnection token stands in URLs, so it alone is not enough. Throws
   * `unauthenticated`, `forbidden` or `rate_limited`; for a seat that nobody has, Colyseus says so.
   */
  async admitBack(sessionId: string, token: string): Promise<void> {
    const owner = this.#owners.get(sessionId);
    if (owner === undefined) return;
    const identity = await this.#services.verify(token);
    if (identity.playerId !== owner.playerId || identity.role !== owner.role) throw new RingmasterError("forbidden");
    PlayerLimits.of(this.#services).check(identity);
    this.#owners.set(sessionId, identity);
  }

  /**
   * Somebody is about to take up a seat again. Ends the old connection of that seat at once, if that seems to be up: Colyseus would
   * wait until it leaves pings unanswered.
   */
  makeWay(sessionId: string): void {
    const isHeld = this.#reserved._reservedSeats[sessionId] !== undefined;
    const stale = isHeld ? undefined : this.#room.clients.getById(sessionId);
    (stale?.ref as { terminate?(): void } | undefined)?.terminate?.();
  }

  /** What stands in for Colyseus's `_reserveSeat`: nobody is given a seat while the node drains. */
  async reserve(...seat: SeatArguments): Promise<boolean> {
    if (this.#services.draining() || this.#services.cutOff?.()) return false;
    // biome-ignore lint/complexity/useLiteralKeys: it is private to Colyseus
    const isReserved = await Room.prototype["_reserveSeat"].apply(this.#room, seat);
    if (!this.#isClosing) return isReserved;
    this.#void();
    return false;
  }

  /** Gives no seat any more. Those that were given and not taken are void: Colyseus would keep the room for them. */
  close(): void {
    this.#isClosing = true;
    this.#void();
  }

  /** Takes back the seats that nobody has come for, and has Colyseus look again whether the room can go. */
  #void(): void {
    const { _reservedSeats: seats, _reservedSeatTimeouts: timeouts } = this.#reserved;
    for (const [sessionId, [, , , isHeldForReturn]] of Object.entries(seats)) {
      if (isHeldForReturn) continue;
      clearTimeout(timeouts[sessionId]);
      delete timeouts[sessionId];
      delete seats[sessionId];
    }
    // biome-ignore lint/complexity/useLiteralKeys: it is private to Colyseus
    this.#room["resetAutoDisposeTimeout"](0);
  }

  get #reserved(): Seats {
    return this.#room as unknown as Seats;
  }
}
