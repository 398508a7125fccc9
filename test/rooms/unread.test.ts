import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { ClientState, defineRoom, defineServer, matchMaker, Room } from "@colyseus/core";
import WebSocket from "ws";
import { type GuardedSocket, MOST_UNREAD_BYTES } from "../../src/rooms/runtime/GuardedSocket.ts";
import { PacedTransport } from "../../src/rooms/runtime/PacedTransport.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";

/** What is told at once, in bytes, and how often: far more than the system keeps for a socket. */
const TOLD_BYTES = 64 * 1024;
const TOLD_TIMES = 400;

class LoudRoom extends Room {}

describe("A client that does not read", () => {
  // No ping is left unanswered in time to end anybody.
  const transport = new PacedTransport({ pingInterval: 60_000, draining: () => false });
  const server = defineServer({
    transport,
    greet: false,
    gracefullyShutdown: false,
    rooms: { loud: defineRoom(LoudRoom) },
  });

  before(() => server.listen(0));
  after(() => server.gracefullyShutdown(false));

  async function sit(): Promise<WebSocket> {
    const { port } = transport.server!.address() as AddressInfo;
    const seat = await matchMaker.joinOrCreate("loud");
    const socket = new WebSocket(`ws://127.0.0.1:${port}/${seat.processId}/${seat.roomId}?sessionId=${seat.sessionId}`);
    await once(socket, "message");
    socket.send(Buffer.from([10]));
    return socket;
  }

  it("is ended by what all are told, with no more than a megabyte kept for it, and the others hear all", async () => {
    const [hearing, deaf] = [await sit(), await sit()];
    let heard = 0;
    hearing.on("message", () => {
      heard += 1;
    });
    deaf.pause();
    const [listed] = await matchMaker.query({ name: "loud" });
    const room = matchMaker.getLocalRoomById(listed!.roomId)!;
    await until(() => room.clients.every(({ state }) => state === ClientState.JOINED), {
      what: "both are in",
      timeoutMs: DEADLINE_MS,
    });
    const refs = room.clients.map(({ ref }) => ref as unknown as GuardedSocket);
    let mostKept = 0;
    for (let told = 0; told < TOLD_TIMES; told += 1) {
      room.broadcast("news", "x".repeat(TOLD_BYTES));
      mostKept = Math.max(mostKept, ...refs.map(({ bufferedAmount }) => bufferedAmount));
      await turn();
    }
    while (heard < TOLD_TIMES) await once(hearing, "message");
    assert.equal(room.clients.length, 1);
    assert.ok(mostKept > MOST_UNREAD_BYTES / 2 && mostKept < MOST_UNREAD_BYTES + 2 * TOLD_BYTES, `${mostKept} bytes`);
    hearing.terminate();
    deaf.terminate();
  });

  it("keeps no copy of what many are answered with, which each hears whole and in its order", async () => {
    const hearing = await sit();
    const heard: Buffer[] = [];
    hearing.on("message", (data: Buffer) => heard.push(data));
    const [listed] = await matchMaker.query({ name: "loud" });
    const room = matchMaker.getLocalRoomById(listed!.roomId)!;
    await until(() => room.clients.at(-1)?.state === ClientState.JOINED, { what: "it is in", timeoutMs: DEADLINE_MS });
    const { ref } = room.clients.at(-1)!;
    const socket = ref as unknown as GuardedSocket;
    const written: unknown[] = [];
    const write = socket.stream!.write.bind(socket.stream!);
    socket.stream!.write = (chunk: never, ...rest: never[]) => {
      written.push(chunk);
      return write(chunk, ...rest);
    };
    const expected: Buffer[] = [];
    for (const bytes of [0, 1, 122, 123, 124, 65_532, 65_533, 65_534, 300_000]) {
      const [head, rest] = [Buffer.from("abc"), Buffer.alloc(bytes, String(bytes))];
      socket.sendParts(head, rest);
      socket.send(Buffer.from(`after ${bytes}`));
      assert.ok(written.includes(rest), "the very bytes are what is written");
      expected.push(Buffer.concat([head, rest]), Buffer.from(`after ${bytes}`));
    }
    while (heard.length < expected.length) await once(hearing, "message");
    assert.deepEqual(heard, expected);
    hearing.terminate();
  });

  it("is ended by answers that it shares with others as by any, and those that come later are nobody's", async () => {
    const deaf = await sit();
    deaf.pause();
    const [listed] = await matchMaker.query({ name: "loud" });
    const room = matchMaker.getLocalRoomById(listed!.roomId)!;
    const socket = room.clients.at(-1)!.ref as unknown as GuardedSocket;
    const shared = Buffer.alloc(TOLD_BYTES);
    for (let told = 0; told < TOLD_TIMES && socket.readyState === WebSocket.OPEN; told += 1) {
      socket.sendParts(Buffer.from("abc"), shared);
      await turn();
    }
    assert.notEqual(socket.readyState, WebSocket.OPEN);
    socket.sendParts(Buffer.from("abc"), shared);
    deaf.terminate();
  });
});
