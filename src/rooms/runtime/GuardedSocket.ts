import type { Socket } from "node:net";
import { WebSocket } from "ws";
import type { SocketMeter } from "./SocketMeter.ts";

/** What may wait for a client to read it, in bytes: some hundred answers of the largest kind. */
export const MOST_UNREAD_BYTES = 1024 * 1024;

const FINAL_BINARY = 0x82;

type SendArguments = Parameters<WebSocket["send"]>;
type PongArguments = Parameters<WebSocket["pong"]>;

/** A websocket that ends when its client leaves too much unread, whatever it is sent: answers, broadcasts, pongs. */
export class GuardedSocket extends WebSocket {
  /** Slows and ends what its client sends. There from the moment it is connected. */
  meter?: SocketMeter;
  /** The connection itself. There from the moment it is open. */
  stream?: Socket;
  /** Who is kept out when this ends for what its client did: a player, once a room knows one. */
  owner?: string;
  /** What each ping said since the last pong that said the same: nobody can who has not read it. */
  unanswered: string[] = [];

  override send(...args: unknown[]): void {
    if (this.#isRead()) super.send(...(args as SendArguments));
  }

  /**
   * Sends a binary message in two parts, of which the second is not copied: what many are answered with is in memory once, however
   * many of them read slowly. ws takes a message in one piece only; it writes each at once, as no messages are compressed here.
   */
  sendParts(head: Uint8Array, rest: Uint8Array): void {
    if (this.readyState !== WebSocket.OPEN || this.stream === undefined || !this.#isRead()) return;
    const { stream } = this;
    stream.cork();
    stream.write(frameStart(head, rest.length));
    stream.write(rest);
    stream.uncork();
  }

  override pong(...args: PongArguments): void {
    if (this.#isRead()) super.pong(...args);
  }

  #isRead(): boolean {
    if (this.bufferedAmount <= MOST_UNREAD_BYTES) return true;
    this.terminate();
    return false;
  }
}

/** A final binary frame that is not masked (RFC 6455, 5.2), up to the part of its payload that follows later. */
function frameStart(payload: Uint8Array, later: number): Buffer {
  const length = payload.length + later;
  const headBytes = length < 126 ? 2 : length < 2 ** 16 ? 4 : 10;
  const frame = Buffer.allocUnsafe(headBytes + payload.length);
  frame[0] = FINAL_BINARY;
  frame[1] = length < 126 ? length : length < 2 ** 16 ? 126 : 127;
  if (headBytes === 4) frame.writeUInt16BE(length, 2);
  else if (headBytes === 10) frame.writeBigUInt64BE(BigInt(length), 2);
  frame.set(payload, headBytes);
  return frame;
}
