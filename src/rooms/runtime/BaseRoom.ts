import {
  type Client,
  type ClientPrivate,
  CloseCode,
  Room,
  type RoomException,
  type RoomMethodName,
  ServerError,
} from "@colyseus/core";
import type { z } from "zod";
import { RingmasterError } from "../../errors.ts";
import type { Identity } from "../../http/auth/identity.ts";
import type { Logger } from "../../telemetry/log.ts";
import { RoomConnections, TOKEN_EXPIRED } from "./RoomConnections.ts";
import { RoomRequests } from "./RoomRequests.ts";
import { RoomSeats, type SeatArguments } from "./RoomSeats.ts";
import { refusal, socketRefusal } from "./refusal.ts";
import { type RoomServices, roomServices } from "./services.ts";

/** What a listing tells matchmaking beside Colyseus's own fields. */
export interface RoomMetadata {
  /** At most one open room of the cluster has it: `hunt:ID@NODE`. Set it in `onCreate` and leave it. */
  key?: string;
}

/** The types of a room: `BaseRoom<{ state: HuntState; services: HuntServices }>`. */
export interface RoomTypes {
  state?: object;
  metadata?: RoomMetadata;
  services?: RoomServices;
}

/** A connected client; `auth` is who its token speaks for. */
export type RoomClient = Client<{ auth: Identity }>;

/** Who is at a connection that has joined. */
export function playerOf(client: RoomClient): { playerId: string; name: string } {
  const { playerId, name } = client.auth!;
  return { playerId, name };
}

type ServicesOf<T extends RoomTypes> = T extends { services: infer S extends RoomServices } ? S : RoomServices;

/**
 * What all our rooms have in common: typed requests, identities, limits, and patience with dropped connections.
 *
 * A client asks with the SDK's `room.request(type, payload)` and is answered, or rejected with `{code, message, details?}`, which
 * the SDK gives as the `reason` of its error; or, where its SDK has no requests, by the message `request`, which comes to the same. Nothing that a client sends ends its connection or disturbs another: bad
 * payloads, unknown types, raw bytes, broken MessagePack and unknown protocol codes are rejected, or told through `onError`
 * (an HTTP status, and a message that begins with the code) when they have no reply channel. Only too
 * much of it does: a frame beyond the transport's `maxPayload` (1009), and a flood (1008, see `SocketMeter`).
 *
 * When its node shuts down, a room closes with 4001 (`CloseCode.SERVER_SHUTDOWN`): the SDK then fires `onLeave(4001)` at once
 * and the client joins again through matchmaking, which takes it to another node. With the codes of a drop (1001, 1005, 1006,
 * 4010) the SDK would spend a minute trying to get back into a room that is gone.
 */
export abstract class BaseRoom<T extends RoomTypes = RoomTypes> extends Room<{
  state: T["state"];
  metadata: T["metadata"];
  client: RoomClient;
}> {
  /** How long the seat of a dropped client is kept at most, in seconds; less where it was there for less (`RoomSeats`). */
  protected readonly reconnectionSeconds: number = 60;
  /** What one player may send to rooms of this name in the long run, on however many connections: a few claims and answers a minute, pings included. */
  protected readonly messagesPerSecond: number = 20;
  /** What one player may send at once. */
  protected readonly messageBurst: number = 40;

  readonly #seats = new RoomSeats(this, this.services);
  readonly #connections = new RoomConnections(this.services, () => {
    const { roomName, messagesPerSecond, messageBurst } = this;
    return { roomName, messagesPerSecond, messageBurst };
  });
  readonly #requests = new RoomRequests({
    room: this,
    services: this.services,
    connections: this.#connections,
    // biome-ignore lint/complexity/useLiteralKeys: it is private to Colyseus
    passOn: (client, bytes) => Room.prototype["_onMessage"].call(this, client, bytes),
  });

  constructor() {
    super();
    // Both are private to Colyseus. Every frame must pass here first, and nobody may be given a seat while the node drains.
    const onFrame = (client: RoomClient & ClientPrivate, bytes: Buffer) => this.#requests.onFrame(client, bytes);
    const reserveSeat = (...seat: SeatArguments) => this.#seats.reserve(...seat);
    Object.defineProperty(this, "_onMessage", { value: onFrame });
    Object.defineProperty(this, "_reserveSeat", { value: reserveSeat });
    this.#refuseTyped();
  }

  /** The player is in; `options` passed the room's admission. What this throws refuses the player. */
  protected onPlayerJoin?(client: RoomClient, options: unknown): void | Promise<void>;
  /** A dropped player is back, on a new connection with the same `sessionId`, `auth` and `userData`. */
  protected onPlayerBack?(client: RoomClient): void | Promise<void>;
  /**
   * The player has left, or did not come back in time. Once for each call of `onPlayerJoin`, also when that threw. `isForGood` when they
   * left because they wanted to, were sent away (`kickClient`), or their token has run out; a drop is none of these.
   */
  protected onPlayerGone?(client: RoomClient, isForGood: boolean): void | Promise<void>;

  /** Only a type: what a domain must have to list such a room. */
  declare readonly "~needs"?: (services: ServicesOf<T>) => void;

  protected get services(): ServicesOf<T> {
    return roomServices<ServicesOf<T>>(this.constructor);
  }

  protected get log(): Logger {
    return this.services.logger;
  }

  /**
   * Answers `room.request(type, payload)` with what `handle` returns, or with the value that this has `Encoded`. A payload that does not fit `schema` is rejected as
   * `invalid_payload`; an error that is not a RingmasterError is logged and rejected as `internal`.
   */
  protected request<S extends z.ZodType>(
    type: string,
    schema: S,
    handle: (client: RoomClient, payload: z.output<S>) => unknown,
  ): void {
    this.#requests.add(type, schema, handle);
  }

  override async onJoin(client: RoomClient, options: unknown): Promise<void> {
    // Seats that the server itself reserves pass no admission.
    if (typeof client.auth?.playerId !== "string") throw socketRefusal(new RingmasterError("unauthenticated"));
    try {
      this.#seats.take(client);
    } catch (error) {
      throw socketRefusal(error);
    }
    this.#connections.begin(client);
    try {
      await this.onPlayerJoin?.(client, options);
    } catch (error) {
      throw socketRefusal(error);
    }
  }

  /**
   * Asked for each socket, before its player is let in. Who comes back while the old connection seems to be up takes its place at
   * once, and that one ends.
   */
  override hasReservedSeat(sessionId: string, reconnectionToken?: string): boolean {
    const isReserved = super.hasReservedSeat(sessionId, reconnectionToken);
    if (isReserved) this.#seats.makeWay(sessionId);
    return isReserved;
  }

  override onDrop(client: RoomClient, code?: number): void {
    // There will be no room to come back to, or no token to come back with.
    if (this.services.draining() || code === TOKEN_EXPIRED) return;
    // Rejects when the client never quite joined, when the room is closing, and when the time is over; onLeave follows.
    this.allowReconnection(client, this.#seats.keptSeconds(client, this.reconnectionSeconds)).catch(() => {});
  }

  /**
   * Asked before somebody takes up a seat again: a reconnection token stands in URLs, so the seat is for whoever has its player's token
   * too, which has not run out. Throws `unauthenticated`, `forbidden` or `rate_limited`.
   */
  admitBack(sessionId: string, token: string): Promise<void> {
    return this.#seats.admitBack(sessionId, token);
  }

  /**
   * Which seat a reconnection token is for, if any. Colyseus would end a connection that is up as soon as somebody asks, who may be anybody; here its
   * place is taken when its player is there (`admitBack`, `hasReservedSeat`).
   */
  override checkReconnectionToken(token: string): string {
    const connected = this.clients.find(({ reconnectionToken }) => reconnectionToken === token);
    return connected?.sessionId ?? super.checkReconnectionToken(token);
  }

  override async onReconnect(client: RoomClient): Promise<void> {
    client.auth = this.#seats.ownerOf(client.sessionId) ?? client.auth!;
    this.#connections.begin(client);
    try {
      await this.onPlayerBack?.(client);
    } catch (error) {
      throw socketRefusal(error);
    }
  }

  override async onLeave(client: RoomClient, code?: number): Promise<void> {
    if (!this.#connections.end(client)) return;
    this.#seats.giveBack(client);
    this.#connections.noteLeft(client);
    await this.onPlayerGone?.(client, code === CloseCode.CONSENTED || code === TOKEN_EXPIRED);
  }

  /**
   * Closes the room once it owes no answer any more; what is asked meanwhile is rejected as `draining`. Seats that were given
   * and not taken are void: Colyseus would keep the room for them, and let into the closing room who still comes.
   */
  override onBeforeShutdown(): void {
    this.#seats.close();
    this.#requests.close(() => {
      this.disconnect(CloseCode.SERVER_SHUTDOWN).catch((error) =>
        this.log.error({ err: error }, "A room did not close"),
      );
    });
  }

  override onUncaughtException(error: RoomException, method: RoomMethodName): void {
    const cause = error.cause ?? error;
    const isOurs =
      cause instanceof RingmasterError ? cause.status < 500 : cause instanceof ServerError && cause.code < 500;
    const entry = { err: cause, room: this.roomName, roomId: this.roomId, method };
    if (isOurs) this.log.debug(entry, "A room refused");
    else this.log.error(entry, "A room failed");
  }

  /**
   * Refuses to be created on a node that drains. Of an error of `onCreate`, Colyseus drops all but its message when another
   * process asked for the room.
   */
  #refuseTyped(): void {
    const create = this.onCreate;
    this.onCreate = async (options: unknown) => {
      try {
        if (this.services.draining()) throw new RingmasterError("draining");
        if (this.services.cutOff?.()) throw new RingmasterError("unavailable");
        await create?.call(this, options);
      } catch (error) {
        throw refusal(error);
      }
    };
  }
}
