import { Protocol } from "@colyseus/core";
import { decode } from "@colyseus/schema";
import { unpack } from "msgpackr";

/** What a client sent in one frame, as far as its head tells. */
export type Frame =
  /** A message that wants an answer; `body` is its payload, still encoded. */
  | { kind: "request"; id: number; type: string; body: Buffer }
  /** A message without a reply channel, bytes included. */
  | { kind: "message"; type: string }
  /** The message `request`, which asks as a request does; `body` holds `{id, type, payload}`, still encoded. */
  | { kind: "asked"; body: Buffer }
  /** Joining, pinging and leaving, which Colyseus handles itself. */
  | { kind: "protocol" }
  | { kind: "garbage" };

/** The upper bits of the first byte are modifiers of the code in the lower ones (`PROTOCOL_CODE_MASK` of Colyseus). */
const CODE_MASK = 0x1f;

/** The names of our requests are far shorter. In bytes. */
export const LONGEST_TYPE = 64;

/** The message by which clients ask whose SDK has no requests. */
const ASKING = "request";

const GARBAGE: Frame = { kind: "garbage" };
const PROTOCOL: Frame = { kind: "protocol" };

/**
 * Reads the head of a frame without trusting a length in it. Never throws. Colyseus's own reading does on truncated frames,
 * inside an event listener, where that ends the process.
 */
export function parseFrame(bytes: Buffer): Frame {
  const code = (bytes[0] ?? 0) & CODE_MASK;
  switch (code) {
    case Protocol.JOIN_ROOM:
    case Protocol.LEAVE_ROOM:
    case Protocol.PING:
      return PROTOCOL;
    case Protocol.ROOM_REQUEST:
      return parseRequest(bytes);
    case Protocol.ROOM_DATA:
    case Protocol.ROOM_DATA_BYTES: {
      const head = parseType(bytes, 1);
      if (head === undefined) return GARBAGE;
      const isAsk = code === Protocol.ROOM_DATA && head.type === ASKING;
      return isAsk ? { kind: "asked", body: bytes.subarray(head.end) } : { kind: "message", type: head.type };
    }
    default:
      return GARBAGE;
  }
}

/** The payload of a request; `undefined` when it has none. Throws on what is not MessagePack. */
export function decodePayload(body: Buffer): unknown {
  return body.length === 0 ? undefined : unpack(body);
}

function parseRequest(bytes: Buffer): Frame {
  const at = { offset: 1 };
  const id = parseNumber(bytes, at);
  if (id === undefined || !Number.isSafeInteger(id) || id < 0) return GARBAGE;
  const head = parseType(bytes, at.offset);
  return head === undefined ? GARBAGE : { kind: "request", id, type: head.type, body: bytes.subarray(head.end) };
}

/** A type is a string, or a number that no request of ours is named by. */
function parseType(bytes: Buffer, offset: number): { type: string; end: number } | undefined {
  const prefix = bytes[offset];
  if (prefix === undefined) return undefined;
  if (decode.stringCheck(bytes, { offset })) return parseString(bytes, offset, prefix);
  const at = { offset };
  const number = parseNumber(bytes, at);
  return number === undefined ? undefined : { type: String(number), end: at.offset };
}

/** Longer strings have their length in more bytes; none of them is a type of ours. */
function parseString(bytes: Buffer, offset: number, prefix: number): { type: string; end: number } | undefined {
  const start = prefix < 0xc0 ? offset + 1 : offset + 2;
  const length = prefix < 0xc0 ? prefix & 0x1f : prefix === 0xd9 ? bytes[offset + 1] : undefined;
  if (length === undefined || length > LONGEST_TYPE || start + length > bytes.length) return undefined;
  return { type: bytes.toString("utf8", start, start + length), end: start + length };
}

function parseNumber(bytes: Buffer, at: { offset: number }): number | undefined {
  if (at.offset >= bytes.length) return undefined;
  const number: unknown = decode.number(bytes, at);
  return typeof number === "number" && at.offset <= bytes.length ? number : undefined;
}
