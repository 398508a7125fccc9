import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { WebSocket } from "ws";
import { POLICY_VIOLATION } from "../../src/rooms/runtime/SocketMeter.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import type { RingmasterNode } from "../support/RingmasterNode.ts";
import { closed, codeOf, dial, residentOf, seatIn, sit, victim } from "./attacks.ts";

/** A frame as clients send it: masked with zeros. */
function frame(opcode: number, payload: Buffer, isFinal = true): Buffer {
  const head = Buffer.from([(isFinal ? 0x80 : 0) | opcode, 0x80 | Math.min(payload.length, 126)]);
  const length = Buffer.alloc(payload.length < 126 ? 0 : 2);
  if (length.length > 0) length.writeUInt16BE(payload.length);
  return Buffer.concat([head, length, Buffer.alloc(4), payload]);
}

const [TEXTLESS, PING, PONG] = [2, 9, 10];

function upgradeTo(url: string): string {
  return (
    `GET ${url.slice(url.indexOf("/", 5))} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString("base64")}\r\n\r\n`
  );
}

/** A connection that has opened a websocket by hand, to send what no library would. */
async function upgraded(node: RingmasterNode, token: string): Promise<Socket> {
  const { url } = await seatIn(node, token);
  const socket = await dial(node.port);
  socket.write(upgradeTo(url));
  await new Promise((resolve, reject) => socket.once("data", resolve).once("close", reject));
  socket.pause();
  return socket;
}

/** Sends the bytes as fast as the other side takes them, until the connection ends. */
function flood(socket: Socket, bytes: Buffer): void {
  const more = (): void => {
    while (socket.writable && socket.write(bytes));
  };
  socket.on("drain", more);
  more();
}

describe("One client on a websocket", function () {
  this.timeout(3 * DEADLINE_MS);
  let node: RingmasterNode;
  let end: () => Promise<void>;
  let innocent: WebSocket;

  before(async () => {
    ({ node, end } = await victim({ RATE_LIMIT_PER_ADDRESS: "100000" }));
    innocent = await sit(node, (await node.signIn()).token);
  });
  after(() => end());
  afterEach(async () => {
    assert.equal(innocent.readyState, WebSocket.OPEN, "nobody else is disturbed");
    assert.equal((await node.get("/healthz")).status, 200);
    assert.ok(!node.output.some((line) => line.includes('"level":"error"')), node.program.tail());
  });

  for (const [what, bytes] of [
    ["garbage", frame(TEXTLESS, Buffer.from([0xff]))],
    ["pings", frame(PING, Buffer.alloc(0))],
    ["unsolicited pongs", frame(PONG, Buffer.alloc(0))],
    ["requests", frame(TEXTLESS, Buffer.from([21, 1, 0xa1, 0x78]))],
  ] as const) {
    it(`is slowed, closed and kept out for a while when it floods the node with ${what}`, async () => {
      const { token } = await node.signIn();
      const socket = await upgraded(node, token);
      let received = Buffer.alloc(0);
      socket.on("data", (data: Buffer) => {
        received = Buffer.concat([received, data]).subarray(-64);
      });
      socket.resume();
      flood(socket, Buffer.concat(Array.from({ length: 5000 }, () => bytes)));
      await closed(socket);
      const close = received.lastIndexOf(Buffer.from([0x88]));
      assert.equal(received.readUInt16BE(close + 2), POLICY_VIOLATION);
      const { status, body, headers } = await node.post("/matchmake/joinOrCreate/lobby", { token, body: {} });
      assert.deepEqual([status, body.error?.code], [429, "rate_limited"]);
      assert.ok(Number(headers.get("retry-after")) > 0);
      await sit(node, (await node.signIn()).token);
    });
  }

  it("is answered all of a burst that its room allows, and a little more, in time", async () => {
    const client = node.client((await node.signIn()).token);
    const room = await client.joinOrCreate("lobby");
    room.onMessage("*", () => {});
    const answers = await Promise.allSettled(
      Array.from({ length: 300 }, () => room.request("viewPopup", { windowId: "none" })),
    );
    const codes = new Set(answers.map((answer) => (answer.status === "rejected" ? answer.reason.reason.code : "ok")));
    assert.deepEqual([...codes].sort(), ["conflict", "rate_limited"]);
    await room.leave();
  });

  it("is ended when it reads nothing, whatever it says about that", async () => {
    const sockets = await Promise.all(
      Array.from({ length: 10 }, async () => upgraded(node, (await node.signIn()).token)),
    );
    const before = residentOf(node);
    const pongs = setInterval(() => {
      for (const socket of sockets) socket.write(frame(PONG, Buffer.alloc(0)));
    }, 1000);
    await until(() => sockets.every((socket) => socket.destroyed || !socket.writable), {
      timeoutMs: DEADLINE_MS,
      what: "they are ended",
    }).finally(() => clearInterval(pongs));
    assert.ok(residentOf(node) < before + 50_000_000);
  });

  it("is ended when it begins messages and does not end them", async () => {
    const token = (await node.signIn()).token;
    const pieces = await upgraded(node, token);
    pieces.write(frame(TEXTLESS, Buffer.from([1]), false));
    for (let piece = 0; piece < 100; piece++) pieces.write(frame(0, Buffer.from([1]), false));
    await closed(pieces);
    // It answers pings, as one may between the parts of a message.
    const patient = await sit(node, token);
    patient.send(Buffer.from([1]), { fin: false });
    assert.equal(await codeOf(patient), POLICY_VIOLATION);
  });

  it("has no more read that it sends once it has broken the protocol, though it does not mind that it is told so", async () => {
    const { url } = await seatIn(node, (await node.signIn()).token);
    const socket = connect({ port: node.port, host: "127.0.0.1", allowHalfOpen: true }).on("error", () => {});
    socket.write(upgradeTo(url));
    await new Promise((resolve, reject) => socket.once("data", resolve).once("close", reject));
    const reserved = frame(7, Buffer.from([1]));
    flood(socket, Buffer.concat(Array.from({ length: 5000 }, () => reserved)));
    await closed(socket);
    assert.ok(socket.bytesWritten < 30_000_000, `${socket.bytesWritten} bytes`);
  });

  it("has at most 16 seats of a player, and a limit for what comes by all of them", async () => {
    const { token } = await node.signIn();
    const sockets = await Promise.all(Array.from({ length: 20 }, () => sit(node, token).catch(() => undefined)));
    await until(() => sockets.filter((socket) => socket?.readyState === WebSocket.OPEN).length === 16, {
      timeoutMs: DEADLINE_MS,
      what: "sixteen are there",
    });
    const client = node.client((await node.signIn()).token);
    const rooms = await Promise.all(Array.from({ length: 5 }, () => client.joinOrCreate("lobby")));
    const asked = rooms.flatMap((room) => {
      room.onMessage("*", () => {});
      return Array.from({ length: 30 }, () => room.request("viewPopup", { windowId: "none" }));
    });
    const answers = await Promise.allSettled(asked);
    const heard = answers.filter((each) => each.status === "rejected" && each.reason.reason.code === "conflict");
    assert.ok(heard.length >= 30 && heard.length < 100, `${heard.length} of 150 are heard`);
    for (const room of rooms) await room.leave();
    for (const socket of sockets) socket?.terminate();
  });
});

describe("Websockets of one address", function () {
  this.timeout(2 * DEADLINE_MS);

  /** How many websockets of this URL are let in of so many at once, and how many refused as too many. */
  async function opened(url: string, count: number): Promise<{ admitted: number; refused: number }> {
    const statuses = await Promise.all(
      Array.from({ length: count }, () => {
        const socket = new WebSocket(url);
        socket.on("error", () => {});
        return new Promise<number>((resolve) => {
          socket
            .once("open", () => resolve(101))
            .once("unexpected-response", (_request, { statusCode }) => resolve(statusCode!));
        });
      }),
    );
    const countOf = (status: number): number => statuses.filter((each) => each === status).length;
    return { admitted: countOf(101), refused: countOf(429) };
  }

  it("are let in at the rate of its requests", async () => {
    const { node, end } = await victim({ RATE_LIMIT_PER_ADDRESS: "20" });
    const { url } = await seatIn(node, (await node.signIn()).token);
    const { admitted, refused } = await opened(url, 30);
    // Two more each second.
    assert.ok(admitted >= 20 && admitted < 30, `${admitted} of 30 are let in`);
    assert.equal(refused, 30 - admitted);
    await end();
  });

  it("that nobody has a seat for are let in at a tenth of that rate", async () => {
    const { node, end } = await victim({ RATE_LIMIT_PER_ADDRESS: "100" });
    const seatless = await opened(`ws://127.0.0.1:${node.port}/p/constructor?sessionId=x`, 30);
    // One more each second.
    assert.ok(seatless.admitted >= 10 && seatless.admitted < 20, `${seatless.admitted} of 30 are let in`);
    assert.equal(seatless.refused, 30 - seatless.admitted);
    const { url } = await seatIn(node, (await node.signIn()).token);
    assert.equal((await opened(url, 1)).admitted, 1, "who has a seat takes it");
    await end();
  });

  it("are let in no more when their clients break the protocol again and again, be it as new players; who is in stays in", async () => {
    const { node, end } = await victim();
    const neighbour = await node.client((await node.signIn()).token).joinOrCreate("lobby");
    const more = Buffer.concat(Array.from({ length: 100 }, () => frame(0, Buffer.from([1]), false)));
    let broken = 0;
    while (broken < 100) {
      const answer = await node.post<{ token: string }>("/auth/anonymous", { body: {} });
      if (answer.status === 429) break;
      const socket = await upgraded(node, answer.body.token);
      socket.write(Buffer.concat([frame(TEXTLESS, Buffer.from([1]), false), more]));
      await closed(socket);
      broken += 1;
    }
    assert.ok(broken > 20 && broken < 100, `${broken} may be broken`);
    const { status, headers } = await node.post("/auth/anonymous", { body: {} });
    assert.equal(status, 429);
    assert.ok(Number(headers.get("retry-after")) > 20);
    await assert.rejects(
      neighbour.request("viewPopup", { windowId: "none" }),
      ({ reason }) => reason.code === "conflict",
    );
    await neighbour.leave();
    await end();
  });

  it("which has no seat is closed, whatever it sends", async () => {
    const { node, end } = await victim();
    const socket = new WebSocket(`ws://127.0.0.1:${node.port}/p/r?sessionId=x`);
    assert.equal(await codeOf(socket), 4002);
    await end();
  });
});
