import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import { SocketMeter } from "../../src/rooms/runtime/SocketMeter.ts";
import { ManualClock } from "../actors/simulation.ts";

/** A connection, or a websocket on it, as far as a meter needs them. */
class Line extends EventEmitter {
  readonly bufferedAmount = 0;
  readonly destroyed = false;
  pause(): void {}
  resume(): void {}
}

describe("What ws is given of a flood", () => {
  it("does not keep all that came with it, however long ws keeps it", () => {
    const stream = new Line();
    const given: Buffer[] = [];
    stream.on("data", (bytes: Buffer) => given.push(bytes));
    new SocketMeter(new Line() as unknown as WebSocket, stream as unknown as Socket, {
      clock: new ManualClock(),
      ended: () => {},
    });
    // Parts of a message: masked with zeros, a byte each, none of them the last.
    const part = Buffer.from([0, 0x81, 0, 0, 0, 0, 1]);
    const flood = Buffer.concat(Array.from({ length: 9000 }, () => part));
    stream.emit("data", flood);
    assert.equal(given.length, 1);
    assert.equal(given[0]!.length, 40 * part.length);
    assert.notEqual(given[0]!.buffer, flood.buffer);
  });
});
