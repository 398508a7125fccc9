/**
 * A bare Colyseus server with a room that answers at once: what the hunt room is measured by. It has Ringmaster's transport and
 * as many players a room, the answers are of the same shape, and Colyseus's own handling of requests stands where ours does.
 */
import { Room, Server } from "@colyseus/core";
import { WebSocketTransport } from "@colyseus/ws-transport";
import { freePort } from "../../scripts/processes/freePort.ts";

const CARD = { clueId: "0", type: "riddle", prompt: "What is the answer to riddle 0?", points: 1 };

class EchoRoom extends Room {
  override maxClients = 500;

  override onCreate(): void {
    let assignments = 0;
    this.onMessage("claim", () => ({
      assignmentId: `${assignments++}.1`,
      ...CARD,
      expiresAt: Date.now() + 3_600_000,
    }));
    this.onMessage("solve", () => ({ correct: true, points: 1, total: 1, attemptsLeft: 2 }));
  }
}

const port = await freePort();
const server = new Server({ transport: new WebSocketTransport(), greet: false });
server.define("echo", EchoRoom);
await server.listen(port);
process.send!({ port });
process.on("disconnect", () => process.exit());
