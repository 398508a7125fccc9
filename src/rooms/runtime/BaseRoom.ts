import {
  type Client,
  type ClientPrivate,
  ClientState,
  CloseCode,
  Protocol,
  Room,
  type RoomException,
  type RoomMethodName,
  ServerError,
} from "@colyseus/core";
import type { z } from "zod";
import type { TokenBucket } from "../../edge/TokenBucket.ts";
import { databaseError } from "../../entities/failures.ts";
import { type ErrorCode, RingmasterError, toRingmasterError } from "../../errors.ts";
import type { Identity } from "../../http/auth/identity.ts";
import type { Attendance } from "../../stores/sessions/Attendance.ts";
import type { Logger } from "../../telemetry/log.ts";
import { validate } from "../../validate.ts";
import { type Ask, askOf } from "./asks.ts";
import { type Frame, parseFrame } from "./frames.ts";
import { PlayerLimits } from "./PlayerLimits.ts";
import { refusal, socketRefusal } from "./refusal.ts";
import type { Seats } from "./seats.ts";
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
type AskFrame = Extract<Frame, { kind: "request" | "asked" }>;

interface RequestType {
  schema: z.ZodType;
  handle(client: RoomClient, payload: unknown): unknown;
}

type SeatArguments = Parameters<Room["_reserveSeat"]>;

/** What this room keeps of a connection. */
interface Connection {
  /** What its player may send in rooms of this name, on all connections together. */
  bucket: TokenBucket;
  /** Monotonic time until which this client is told of no further fault that has no reply channel. */
  quietUntil: number;
  /** Ends the wait for the client to say that it joined, and for its token to run out. There once the player has been let in. */
  stopWaiting?: () => void;
}

/** How long a client that joined may take to say so; messages for it are queued meanwhile, and that must end. In milliseconds. */
export const JOIN_ACKNOWLEDGED_MS = 10_000;
/** With which a connection closes whose token has run out: the SDK does not come back by itself, as it would with the same token. */
export const TOKEN_EXPIRED = 4005;
/** A fault without a reply channel is told at most this often, in milliseconds. */
const FAULT_INTERVAL_MS = 1000;
/** A client that sends without reading gets no more refusals beyond this many bytes in its socket. */
const MOST_UNREAD_BYTES = 256 * 1024;
/** What waits for a client to say that it joined; what it asks for beyond is left alone, as it never will read it. */
const MOST_QUEUED = 100;
/** How long a closing room waits for the answers it owes, in milliseconds. */
const ANSWERS_OWED_MS = 5000;

/**
 * What all our rooms have in common: typed requests, identities, limits, and deadline with dropped connections.
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
  /** How long the seat of a dropped client is kept, in seconds. */
  protected readonly reconnectionSeconds: number = 60;
  /** What one player may send to rooms of this name in the long run, on however many connections: a few claims and answers a minute, pings included. */
  protected readonly messagesPerSecond: number = 20;
  /** What one player may send at once. */
  protected readonly messageBurst: number = 40;

  readonly #requests = new Map<string, RequestType>();
  readonly #connections = new WeakMap<Client, Connection>();
  /** Who has a seat, by session id, also while dropped. */
  readonly #owners = new Map<string, Identity>();
  /** Who was active here; it tells of itself, and of all in one call. */
  readonly #attendance: Attendance | undefined = this.services.attend?.();
  /** Requests that are being handled. */
  #owed = 0;
  #onAnswered: (() => void) | undefined;
  #draining = false;

  constructor() {
    super();
    // Both are private to Colyseus. Every frame must pass here first, and nobody may be given a seat while the node drains.
    Object.defineProperty(this, "_onMessage", { value: this.#onFrame });
    Object.defineProperty(this, "_reserveSeat", { value: this.#reserveSeat });
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
    if (this.#requests.has(type)) throw new Error(`The request ${type} is registered twice.`);
    this.#requests.set(type, { schema, handle: (client, payload) => handle(client, payload as z.output<S>) });
  }

  override async onJoin(client: RoomClient, options: unknown): Promise<void> {
    // Seats that the server itself reserves pass no admission.
    if (typeof client.auth?.playerId !== "string") throw socketRefusal(new RingmasterError("unauthenticated"));
    try {
      PlayerLimits.of(this.services).take(client.auth);
    } catch (error) {
      throw socketRefusal(error);
    }
    this.#owners.set(client.sessionId, client.auth);
    this.#enter(client);
    try {
      await this.onPlayerJoin?.(client, options);
    } catch (error) {
      throw socketRefusal(error);
    }
  }

  /**
   * Asked for each socket, before its player is let in. Who comes back while the old connection seems to be up takes its place at
   * once, and that one ends: Colyseus would wait until it leaves pings unanswered.
   */
  override hasReservedSeat(sessionId: string, reconnectionToken?: string): boolean {
    const isReserved = super.hasReservedSeat(sessionId, reconnectionToken);
    const isHeld = (this as unknown as Seats)._reservedSeats[sessionId] !== undefined;
    const stale = isReserved && !isHeld ? this.clients.getById(sessionId) : undefined;
    (stale?.ref as { terminate?(): void } | undefined)?.terminate?.();
    return isReserved;
  }

  override onDrop(client: RoomClient, code?: number): void {
    // There will be no room to come back to, or no token to come back with.
    if (this.services.draining() || code === TOKEN_EXPIRED) return;
    // Rejects when the client never quite joined, when the room is closing, and when the time is over; onLeave follows.
    this.allowReconnection(client, this.reconnectionSeconds).catch(() => {});
  }

  /**
   * Asked before somebody takes up a seat again: a reconnection token stands in URLs, so the seat is for whoever has its player's token
   * too, which has not run out. Throws `unauthenticated`, `forbidden` or `rate_limited`.
   */
  async admitBack(sessionId: string, token: string): Promise<void> {
    const owner = this.#owners.get(sessionId);
    // Colyseus says that there is no such seat.
    if (owner === undefined) return;
    const identity = await this.services.verify(token);
    if (identity.playerId !== owner.playerId || identity.role !== owner.role) throw new RingmasterError("forbidden");
    PlayerLimits.of(this.services).check(identity);
    this.#owners.set(sessionId, identity);
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
    client.auth = this.#owners.get(client.sessionId) ?? client.auth!;
    this.#enter(client);
    try {
      await this.onPlayerBack?.(client);
    } catch (error) {
      throw socketRefusal(error);
    }
  }

  override async onLeave(client: RoomClient, code?: number): Promise<void> {
    const { stopWaiting } = this.#connection(client);
    if (stopWaiting === undefined) return;
    stopWaiting();
    this.#owners.delete(client.sessionId);
    PlayerLimits.of(this.services).giveBack(client.auth!);
    if (client.auth !== undefined) this.#attendance?.left(client.auth, client.sessionId);
    await this.onPlayerGone?.(client, code === CloseCode.CONSENTED || code === TOKEN_EXPIRED);
  }

  /**
   * Closes the room once it owes no answer any more; what is asked meanwhile is rejected as `draining`. Seats that were given
   * and not taken are void: Colyseus would keep the room for them, and let into the closing room who still comes.
   */
  override onBeforeShutdown(): void {
    this.#draining = true;
    this.#voidSeats();
    const close = (): void => {
      cancel();
      this.#onAnswered = undefined;
      this.disconnect(CloseCode.SERVER_SHUTDOWN).catch((error) =>
        this.log.error({ err: error }, "A room did not close"),
      );
    };
    const cancel = this.services.clock.schedule(close, ANSWERS_OWED_MS);
    if (this.#owed === 0) close();
    else this.#onAnswered = close;
  }

  override onUncaughtException(error: RoomException, method: RoomMethodName): void {
    const cause = error.cause ?? error;
    const isOurs =
      cause instanceof RingmasterError ? cause.status < 500 : cause instanceof ServerError && cause.code < 500;
    const entry = { err: cause, room: this.roomName, roomId: this.roomId, method };
    if (isOurs) this.log.debug(entry, "A room refused");
    else this.log.error(entry, "A room failed");
  }

  /** What stands in for Colyseus's `_reserveSeat`. */
  async #reserveSeat(...seat: SeatArguments): Promise<boolean> {
    if (this.services.draining() || this.services.cutOff?.()) return false;
    // biome-ignore lint/complexity/useLiteralKeys: it is private to Colyseus
    const isReserved = await Room.prototype["_reserveSeat"].apply(this, seat);
    if (!this.#draining) return isReserved;
    this.#voidSeats();
    return false;
  }

  /** Takes back the seats that nobody has come for, and has Colyseus look again whether the room can go. */
  #voidSeats(): void {
    const { _reservedSeats: seats, _reservedSeatTimeouts: timeouts } = this as unknown as Seats;
    for (const [sessionId, [, , , isHeldForReturn]] of Object.entries(seats)) {
      if (isHeldForReturn) continue;
      clearTimeout(timeouts[sessionId]);
      delete timeouts[sessionId];
      delete seats[sessionId];
    }
    // biome-ignore lint/complexity/useLiteralKeys: it is private to Colyseus
    this["resetAutoDisposeTimeout"](0);
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

  /** What stands in for Colyseus's `_onMessage`. */
  #onFrame(client: RoomClient & ClientPrivate, bytes: Buffer): void {
    if (client.state === ClientState.LEAVING) return;
    const frame = parseFrame(bytes);
    const isLimited = !this.#connection(client).bucket.take();
    if (frame.kind === "request" || frame.kind === "asked") {
      if ((client._enqueuedMessages?.length ?? 0) > MOST_QUEUED) return;
      this.#onAsk(client, frame, isLimited);
    } else if (frame.kind === "protocol") {
      // A client must be able to join and leave, whatever else it sends.
      if (!isLimited || (bytes[0] ?? 0) !== Protocol.PING) this.#passOn(client, bytes);
    } else {
      this.#sendFault(client, isLimited ? new RingmasterError("rate_limited") : faultOf(frame));
    }
  }

  #onAsk(client: RoomClient, frame: AskFrame, isLimited: boolean): void {
    let ask: Ask;
    try {
      ask = askOf(frame);
    } catch (error) {
      this.#sendFault(client, isLimited ? new RingmasterError("rate_limited") : toRingmasterError(error));
      return;
    }
    if (isLimited) this.#reject(client, ask, new RingmasterError("rate_limited"));
    else void this.#answer(client, ask);
  }

  #passOn(client: RoomClient & ClientPrivate, bytes: Buffer): void {
    try {
      // biome-ignore lint/complexity/useLiteralKeys: it is private to Colyseus
      Room.prototype["_onMessage"].call(this, client, bytes);
    } catch (error) {
      this.log.error({ err: error, room: this.roomName, roomId: this.roomId }, "A protocol message failed");
    }
  }

  #connection(client: Client): Connection {
    let connection = this.#connections.get(client);
    if (connection === undefined) {
      const { auth, sessionId } = client as RoomClient;
      // Operators and viewers work side by side under one id.
      const sender = auth?.role === "player" ? auth.playerId : sessionId;
      const { messagesPerSecond, messageBurst } = this;
      const key = `${this.roomName}:${sender}`;
      const bucket = PlayerLimits.of(this.services).bucket(key, messagesPerSecond, messageBurst);
      connection = { bucket, quietUntil: Number.NEGATIVE_INFINITY };
      this.#connections.set(client, connection);
    }
    return connection;
  }

  /** From here on there is somebody to hear of, and a client from whom it must be heard that it joined. */
  #enter(client: RoomClient): void {
    this.#noteActivity(client);
    PlayerLimits.of(this.services).claim(client, this.messagesPerSecond, this.messageBurst);
    const { clock } = this.services;
    const waits = [
      clock.schedule(() => {
        if (client.state === ClientState.JOINING) client.leave(CloseCode.WITH_ERROR);
      }, JOIN_ACKNOWLEDGED_MS),
    ];
    const { expiresAt } = client.auth!;
    if (expiresAt !== undefined) {
      waits.push(clock.schedule(() => client.leave(TOKEN_EXPIRED), Math.max(0, expiresAt - clock.now())));
    }
    this.#connection(client).stopWaiting = () => {
      for (const cancel of waits) cancel();
    };
  }

  /** Also when the clock has jumped, which no timer notices. */
  #hasExpired({ auth }: RoomClient): boolean {
    return auth?.expiresAt !== undefined && auth.expiresAt <= this.services.clock.now();
  }

  #noteActivity(client: RoomClient): void {
    if (client.auth !== undefined) this.#attendance?.seen(client.auth, client.sessionId);
  }

  async #answer(client: RoomClient, ask: Ask): Promise<void> {
    const arrivedAt = this.services.clock.monotonic();
    this.#noteActivity(client);
    const request = this.#requests.get(ask.type);
    let outcome: ErrorCode | "ok" = "ok";
    this.#owed += 1;
    try {
      ask.resolve(client, await this.#handle(client, request, ask));
    } catch (thrown) {
      const error = toRingmasterError(databaseError(thrown));
      outcome = error.code;
      if (error.status === 500) {
        this.log.error({ err: thrown, room: this.roomName, roomId: this.roomId, type: ask.type }, "A request failed");
      }
      this.#reject(client, ask, error);
    } finally {
      this.#owed -= 1;
      if (this.#owed === 0) this.#onAnswered?.();
      const seconds = (this.services.clock.monotonic() - arrivedAt) / 1000;
      this.services.requestAnswered?.(this.roomName, request ? ask.type : "unknown", outcome, seconds);
    }
  }

  async #handle(client: RoomClient, request: RequestType | undefined, ask: Ask): Promise<unknown> {
    if (this.#draining) throw new RingmasterError("draining");
    if (this.#hasExpired(client)) throw new RingmasterError("unauthenticated");
    if (this.services.cutOff?.()) throw new RingmasterError("unavailable");
    if (request === undefined) throw new RingmasterError("unknown_request");
    return await request.handle(client, validate(request.schema, ask.payload()));
  }

  #reject(client: RoomClient, ask: Ask, error: RingmasterError): void {
    if (error.code === "rate_limited" && isDeaf(client)) return;
    ask.reject(client, error);
  }

  /** For what has no reply channel: the SDK's `onError` hears the status and a message that begins with the code. */
  #sendFault(client: RoomClient, error: RingmasterError): void {
    const connection = this.#connection(client);
    const now = this.services.clock.monotonic();
    if (now < connection.quietUntil || isDeaf(client)) return;
    connection.quietUntil = now + FAULT_INTERVAL_MS;
    client.error(error.status, refusal(error).message);
  }
}

function faultOf(frame: Frame): RingmasterError {
  return frame.kind === "message"
    ? new RingmasterError(
        "unknown_request",
        "This room takes requests only: use room.request(), or the message `request`.",
      )
    : new RingmasterError("invalid_payload", "This frame is not of the protocol.");
}

/** Whether the client leaves what it is sent unread: in its socket, or queued here because it never said that it joined. */
function isDeaf(client: Client & Partial<ClientPrivate>): boolean {
  const { bufferedAmount = 0 } = client.ref as { bufferedAmount?: number };
  return bufferedAmount > MOST_UNREAD_BYTES || (client._enqueuedMessages?.length ?? 0) > MOST_QUEUED;
}
