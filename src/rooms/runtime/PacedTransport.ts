import { CloseCode, getMessageBytes, Protocol } from "@colyseus/core";
import { type TransportOptions, WebSocketTransport } from "@colyseus/ws-transport";
import type { WebSocket } from "ws";
import { outdatedClient } from "../../edge/outdated.ts";
import { RingmasterError } from "../../errors.ts";
import { holdFrames } from "./earlyFrames.ts";
import { refusal } from "./refusal.ts";

/** Colyseus counts here how many pings a socket has left unanswered. */
type Pinged = WebSocket & { pingCount: number };

/** Pings go out this often, to a share of the sockets each time. In milliseconds. */
const SLICE_MS = 50;

export interface PacedTransportOptions extends TransportOptions {
  /** Whether this node is on its way out. */
  draining(): boolean;
}

/**
 * Colyseus's websocket transport, but that its pings are spread over their interval, and that a node that drains lets no
 * socket into its rooms. Colyseus pings every socket of the process in one go: with 14,000 of them that keeps all answers
 * waiting for a tenth of a second, every three seconds. And it would seat whoever was given a seat before, in a room that closes.
 */
export class PacedTransport extends WebSocketTransport {
  constructor({ draining, ...options }: PacedTransportOptions) {
    super(options);
    const { onConnection } = this;
    this.wss.off("connection", onConnection).on("connection", (socket, ...rest) => {
      const outdated = outdatedClient(rest[0]?.url);
      if (draining()) refuse(socket, new RingmasterError("draining"), CloseCode.SERVER_SHUTDOWN);
      else if (outdated !== undefined) refuse(socket, outdated, CloseCode.WITH_ERROR);
      else void onConnection(socket as Pinged, ...rest).finally(holdFrames(socket));
    });
  }

  protected override autoTerminateUnresponsiveClients(intervalMs: number, mostUnanswered: number): void {
    const { clients } = this.wss;
    let round = clients.values();
    let nextRoundAt = performance.now() + intervalMs;
    this.pingInterval = setInterval(() => {
      // A little more than the share of a slice, so that a round is over in time.
      const slice = Math.ceil((clients.size * SLICE_MS) / (intervalMs - SLICE_MS));
      for (let left = slice; left > 0; left--) {
        const { value: socket, done } = round.next();
        if (!done) pingOrTerminate(socket as Pinged, mostUnanswered);
        else if (performance.now() < nextRoundAt) return;
        else {
          round = clients.values();
          nextRoundAt = performance.now() + intervalMs;
        }
      }
    }, SLICE_MS);
  }
}

/** The SDK rejects the join with the error; whoever came to take up a seat again learns from the code what to do. */
function refuse(socket: WebSocket, error: RingmasterError, code: CloseCode): void {
  socket.on("error", () => {});
  socket.send(getMessageBytes[Protocol.ERROR](error.status, refusal(error).message));
  socket.close(code);
}

function pingOrTerminate(socket: Pinged, mostUnanswered: number): void {
  if (socket.pingCount >= mostUnanswered) {
    socket.terminate();
    return;
  }
  socket.pingCount += 1;
  socket.ping();
}
