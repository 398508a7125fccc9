import { type Client, type ClientPrivate, ClientState, Protocol } from "@colyseus/core";
import type { Span } from "@opentelemetry/api";
import type { z } from "zod";
import { databaseError } from "../../entities/failures.ts";
import { type ErrorCode, RingmasterError, toRingmasterError } from "../../errors.ts";
import { inRoot, type SpanStart } from "../../tracing.ts";
import { validate } from "../../validate.ts";
import { type Ask, askOf } from "./asks.ts";
import type { RoomClient } from "./BaseRoom.ts";
import { type Frame, parseFrame } from "./frames.ts";
import type { RoomConnections } from "./RoomConnections.ts";
import { refusal } from "./refusal.ts";
import type { RoomServices } from "./services.ts";

type AskFrame = Extract<Frame, { kind: "request" | "asked" }>;

interface RequestType {
  schema: z.ZodType;
  handle(client: RoomClient, payload: unknown): unknown;
}

export interface RequestsPorts {
  /** Named in metrics and logs. */
  room: { readonly roomName: string; readonly roomId: string };
  services: RoomServices;
  connections: RoomConnections;
  /** Hands a protocol message on to Colyseus. What it throws is logged. */
  passOn(client: RoomClient & ClientPrivate, bytes: Buffer): void;
}

/** A client that sends without reading gets no more refusals beyond this many bytes in its socket. */
const MOST_UNREAD_BYTES = 256 * 1024;
/** What waits for a client to say that it joined; what it asks for beyond is left alone, as it never will read it. */
const MOST_QUEUED = 100;
/** How long a closing room waits for the answers it owes, in milliseconds. */
const ANSWERS_OWED_MS = 5000;

/** The requests of one room: reads every frame that comes in, has requests handled, and sends what came of them. */
export class RoomRequests {
  readonly #ports: RequestsPorts;
  readonly #types = new Map<string, RequestType>();
  /** Requests that are being handled. */
  #owed = 0;
  #onAnswered: (() => void) | undefined;
  #isClosing = false;

  constructor(ports: RequestsPorts) {
    this.#ports = ports;
  }

  /** Requests of this type are validated by `schema` and answered with what `handle` returns. Throws when there is one of this type. */
  add<S extends z.ZodType>(
    type: string,
    schema: S,
    handle: (client: RoomClient, payload: z.output<S>) => unknown,
  ): void {
    if (this.#types.has(type)) throw new Error(`The request ${type} is registered twice.`);
    this.#types.set(type, { schema, handle: (client, payload) => handle(client, payload as z.output<S>) });
  }

  /** A frame has come in. It ends no connection, and disturbs nobody else. */
  onFrame(client: RoomClient & ClientPrivate, bytes: Buffer): void {
    if (client.state === ClientState.LEAVING) return;
    const frame = parseFrame(bytes);
    const isLimited = !this.#ports.connections.take(client);
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

  /** Takes no request any more, and calls `answered` once none is being handled, after 5 s at the latest. */
  close(answered: () => void): void {
    this.#isClosing = true;
    const end = (): void => {
      cancel();
      this.#onAnswered = undefined;
      answered();
    };
    const cancel = this.#ports.services.clock.schedule(end, ANSWERS_OWED_MS);
    if (this.#owed === 0) end();
    else this.#onAnswered = end;
  }

  #onAsk(client: RoomClient, frame: AskFrame, isLimited: boolean): void {
    let ask: Ask;
    try {
      ask = askOf(frame);
    } catch (error) {
      this.#sendFault(client, isLimited ? new RingmasterError("rate_limited") : toRingmasterError(error));
      return;
    }
    if (isLimited) reject(client, ask, new RingmasterError("rate_limited"));
    else void inRoot(this.#spanOf(ask), (span) => this.#answer(client, ask, span));
  }

  #passOn(client: RoomClient & ClientPrivate, bytes: Buffer): void {
    const { room, services, passOn } = this.#ports;
    try {
      passOn(client, bytes);
    } catch (error) {
      const { roomName, roomId } = room;
      services.logger.error({ err: error, room: roomName, roomId }, "A protocol message failed");
    }
  }

  #spanOf({ type }: Ask): () => SpanStart {
    return () => ({
      name: `room ${this.#ports.room.roomName} ${this.#types.has(type) ? type : "unknown"}`,
      kind: "SERVER",
    });
  }

  async #answer(client: RoomClient, ask: Ask, span: Span | undefined): Promise<void> {
    const { room, services, connections } = this.#ports;
    const arrivedAt = services.clock.monotonic();
    connections.noteActivity(client);
    const type = this.#types.get(ask.type);
    let outcome: ErrorCode | "ok" = "ok";
    this.#owed += 1;
    try {
      ask.resolve(client, await this.#handle(client, type, ask));
    } catch (thrown) {
      const error = toRingmasterError(databaseError(thrown));
      outcome = error.code;
      span?.setAttribute("error.type", outcome);
      if (error.status === 500) {
        const { roomName, roomId } = room;
        services.logger.error({ err: thrown, room: roomName, roomId, type: ask.type }, "A request failed");
      }
      reject(client, ask, error);
    } finally {
      this.#owed -= 1;
      if (this.#owed === 0) this.#onAnswered?.();
      const seconds = (services.clock.monotonic() - arrivedAt) / 1000;
      services.requestAnswered?.(room.roomName, type ? ask.type : "unknown", outcome, seconds);
    }
  }

  async #handle(client: RoomClient, type: RequestType | undefined, ask: Ask): Promise<unknown> {
    const { services, connections } = this.#ports;
    if (this.#isClosing) throw new RingmasterError("draining");
    if (connections.hasExpired(client)) throw new RingmasterError("unauthenticated");
    if (services.cutOff?.()) throw new RingmasterError("unavailable");
    if (type === undefined) throw new RingmasterError("unknown_request");
    return await type.handle(client, validate(type.schema, ask.payload()));
  }

  /** For what has no reply channel: the SDK's `onError` hears the status and a message that begins with the code. */
  #sendFault(client: RoomClient, error: RingmasterError): void {
    if (isDeaf(client) || !this.#ports.connections.takeFault(client)) return;
    client.error(error.status, refusal(error).message);
  }
}

function reject(client: RoomClient, ask: Ask, error: RingmasterError): void {
  if (error.code === "rate_limited" && isDeaf(client)) return;
  ask.reject(client, error);
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
