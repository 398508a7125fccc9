import { WebSocket } from "ws";
import type { SocketMeter } from "./SocketMeter.ts";

/** What may wait for a client to read it, in bytes: some hundred answers of the largest kind. */
export const MOST_UNREAD_BYTES = 1024 * 1024;

type SendArguments = Parameters<WebSocket["send"]>;
type PongArguments = Parameters<WebSocket["pong"]>;

/** A websocket that ends when its client leaves too much unread, whatever it is sent: answers, broadcasts, pongs. */
export class GuardedSocket extends WebSocket {
  /** Slows and ends what its client sends. There from the moment it is connected. */
  meter?: SocketMeter;
  /** Who is kept out when this ends for what its client did: a player, once a room knows one. */
  owner?: string;
  /** What each ping said since the last pong that said the same: nobody can who has not read it. */
  unanswered: string[] = [];

  override send(...args: unknown[]): void {
    if (this.#isRead()) super.send(...(args as SendArguments));
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
