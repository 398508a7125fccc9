import { type ClientPrivate, ClientState, getMessageBytes, Protocol, ResponseStatus } from "@colyseus/core";
import { z } from "zod";
import { RingmasterError } from "../../errors.ts";
import { invalidPayload, validate } from "../../validate.ts";
import type { RoomClient } from "./BaseRoom.ts";
import { Encoded, encodedUpTo } from "./Encoded.ts";
import { decodePayload, type Frame, LONGEST_TYPE } from "./frames.ts";
import { GuardedSocket } from "./GuardedSocket.ts";

/** What a client asks of a room, whichever way it came, and how it is told what came of it. */
export interface Ask {
  /** The name of the request, as the client has it. */
  type: string;
  /** Throws `invalid_payload` when it is none, or the ask is none. */
  payload(): unknown;
  /** Tells the client the answer, or one that is `Encoded`. Throws when that cannot be sent. */
  resolve(client: RoomClient, value: unknown): void;
  reject(client: RoomClient, error: RingmasterError): void;
}

/** The message that answers the message `request`. */
const ANSWERING = "response";

/** What an id may be: the client has it back as it was, and nothing else looks at it. */
const askId = z.union([z.string().min(1).max(64), z.int().min(0)]);
const askMessage = z.strictObject({ id: askId, type: z.string().max(LONGEST_TYPE), payload: z.unknown().optional() });

/** The ask that a frame is. Throws `invalid_payload` for one that cannot even be rejected, because it has no id. */
export function askOf(frame: Extract<Frame, { kind: "request" | "asked" }>): Ask {
  return frame.kind === "request" ? askByRequest(frame) : askByMessage(payloadOf(frame.body));
}

function askByRequest({ id, type, body }: Extract<Frame, { kind: "request" }>): Ask {
  const reply = (client: RoomClient, status: ResponseStatus, payload: unknown): void =>
    client.enqueueRaw(getMessageBytes[Protocol.ROOM_RESPONSE](id, status, payload));
  return {
    type,
    payload: () => payloadOf(body),
    resolve: (client, value) => {
      if (!(value instanceof Encoded)) reply(client, ResponseStatus.OK, value);
      else {
        const head = getMessageBytes[Protocol.ROOM_RESPONSE](id, ResponseStatus.OK);
        sendEncoded(client, [head], value);
      }
    },
    reject: (client, error) => reply(client, ResponseStatus.REJECTED, error.toWire()),
  };
}

function askByMessage(message: unknown): Ask {
  const id = askId.safeParse((message as { id?: unknown } | undefined)?.id);
  if (!id.success)
    throw invalidPayload([{ path: "id", message: "must be a text of 1 to 64 characters or a whole number" }]);
  const asked = message as { type?: unknown; payload?: unknown };
  return {
    type: String(asked.type),
    payload: () => validate(askMessage, message).payload,
    resolve: (client, value) => {
      // MessagePack has no `undefined`: what JavaScript makes of it other decoders do not know.
      if (!(value instanceof Encoded)) client.send(ANSWERING, { id: id.data, ok: true, value: value ?? null });
      else {
        const head = getMessageBytes.raw(Protocol.ROOM_DATA, ANSWERING);
        sendEncoded(client, [head, encodedUpTo("value", { id: id.data, ok: true })], value);
      }
    },
    reject: (client, error) => client.send(ANSWERING, { id: id.data, ok: false, error: error.toWire() }),
  };
}

/** What is in memory once for all who are answered with it is not copied for each. */
function sendEncoded(client: RoomClient, head: readonly Uint8Array[], { bytes }: Encoded): void {
  const { ref, state } = client as RoomClient & ClientPrivate;
  // What comes while a client joins is kept until it is in.
  if (ref instanceof GuardedSocket && state === ClientState.JOINED) ref.sendParts(Buffer.concat(head), bytes);
  else client.enqueueRaw(Buffer.concat([...head, bytes]));
}

function payloadOf(body: Buffer): unknown {
  try {
    return decodePayload(body);
  } catch {
    throw new RingmasterError("invalid_payload", "The payload is not valid MessagePack.");
  }
}
