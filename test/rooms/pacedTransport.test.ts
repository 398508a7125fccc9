import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { defineRoom, defineServer, matchMaker, Room } from "@colyseus/core";
import { Client, type Room as Joined } from "@colyseus/sdk";
import WebSocket from "ws";
import { PacedTransport } from "../../src/rooms/runtime/PacedTransport.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";

const INTERVAL_MS = 300;
const MOST_UNANSWERED = 2;

class QuietRoom extends Room {}

describe("the pings of PacedTransport", () => {
  const transport = new PacedTransport({
    pingInterval: INTERVAL_MS,
    pingMaxRetries: MOST_UNANSWERED,
    draining: () => false,
  });
  const server = defineServer({
    transport,
    greet: false,
    gracefullyShutdown: false,
    rooms: { quiet: defineRoom(QuietRoom) },
  });
  let address: string;

  before(async () => {
    await server.listen(0);
    address = `127.0.0.1:${(transport.server!.address() as AddressInfo).port}`;
  });

  after(() => server.gracefullyShutdown(false));

  /** A seat of the room, taken by a bare socket, so that it can leave pings unanswered. */
  async function sit(options: { autoPong?: boolean } = {}): Promise<WebSocket> {
    const seat = await matchMaker.joinOrCreate("quiet");
    const url = `ws://${address}/${seat.processId}/${seat.roomId}?sessionId=${seat.sessionId}`;
    const socket = new WebSocket(url, options);
    await once(socket, "open");
    return socket;
  }

  it("reach every socket in every round, also those that came later, and not all at once", async () => {
    const sockets: WebSocket[] = [];
    const pings = new Map<WebSocket, number[]>();
    const arrive = async (): Promise<void> => {
      const socket = await sit();
      sockets.push(socket);
      pings.set(socket, []);
      socket.on("ping", () => pings.get(socket)!.push(performance.now()));
    };
    for (let count = 0; count < 30; count++) await arrive();
    const allHave = (rounds: number) => () => [...pings.values()].every((times) => times.length >= rounds);
    await until(allHave(2), { timeoutMs: DEADLINE_MS, what: "two rounds of pings" });
    for (let count = 0; count < 5; count++) await arrive();
    await until(allHave(3), { timeoutMs: DEADLINE_MS, what: "two more rounds, newcomers included" });

    // Those of one round differ by at most one from socket to socket; whoever came late has missed the first ones.
    const counts = sockets.slice(0, 30).map((socket) => pings.get(socket)!.length);
    assert.ok(Math.max(...counts) - Math.min(...counts) <= 1, counts.join(" "));
    const firsts = sockets.slice(0, 30).map((socket) => Math.floor(pings.get(socket)![0]! / 10));
    assert.ok(new Set(firsts).size > 2, "pings of one round come in several slices");
    for (const socket of sockets) socket.terminate();
  });

  it("end a connection that leaves them unanswered, and no other", async () => {
    const client: Joined = await new Client(`ws://${address}`).joinOrCreate("quiet");
    const deaf = await sit({ autoPong: false });
    await once(deaf, "close");
    assert.ok(client.connection.isOpen);
    await client.leave();
  });
});
