import { WebSocketTransport } from "@colyseus/ws-transport";
import type { WebSocket } from "ws";

/** Colyseus counts here how many pings a socket has left unanswered. */
type Pinged = WebSocket & { pingCount: number };

/** Pings go out this often, to a share of the sockets each time. In milliseconds. */
const SLICE_MS = 50;

/**
 * Colyseus's websocket transport, but that its pings are spread over their interval. Colyseus pings every socket of the
 * process in one go: with 14,000 of them that keeps all answers waiting for a tenth of a second, every three seconds.
 */
export class PacedTransport extends WebSocketTransport {
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

function pingOrTerminate(socket: Pinged, mostUnanswered: number): void {
  if (socket.pingCount >= mostUnanswered) {
    socket.terminate();
    return;
  }
  socket.pingCount += 1;
  socket.ping();
}
