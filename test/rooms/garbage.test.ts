import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { CloseCode, Protocol, type Server } from "@colyseus/core";
import { Client, type Room } from "@colyseus/sdk";
import { pack } from "msgpackr";
import { WebSocket } from "ws";
import { z } from "zod";
import { type Clock, seededRng, systemClock } from "../../src/clock.ts";
import { admit } from "../../src/rooms/runtime/admission.ts";
import { BaseRoom } from "../../src/rooms/runtime/BaseRoom.ts";
import { JOIN_ACKNOWLEDGED_MS } from "../../src/rooms/runtime/RoomConnections.ts";
import { provideRoomServices } from "../../src/rooms/runtime/services.ts";
import { Edge, openRooms } from "../http/edge.ts";

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const FRAMES = 5000;
const rng = seededRng(SEED);
const below = (bound: number): number => Math.floor(rng.next() * bound);
const pick = <T>(items: readonly T[]): T => items[below(items.length)]!;
const random = (length: number): Buffer => Buffer.from(Array.from({ length }, () => below(256)));

class EchoRoom extends BaseRoom {
  static override onAuth = admit({ role: "player" });
  // so that garbage is looked at, and not merely too much
  protected override readonly messagesPerSecond = 1e6;
  protected override readonly messageBurst = 1e6;

  override onCreate(): void {
    this.request("echo", z.object({ n: z.int() }), (_client, { n }) => n);
  }
}

/** Heads of lengths and kinds that MessagePack, and Colyseus's own encoding, know: with whatever follows, most of them lie. */
const HEADS = [
  0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc4, 0xc6, 0xc7, 0xc9, 0xca, 0xcf, 0xd4, 0xd6, 0xd8, 0xd9, 0xdb, 0xdc,
  0xdd, 0xde, 0xdf,
];

const text = (type: string): Buffer => Buffer.concat([Buffer.from([0xa0 | type.length]), Buffer.from(type)]);

function payload(): Buffer {
  const valid = pack({ n: below(1000), text: "x".repeat(below(50)), deep: [{ a: [1, null, { b: true }] }] });
  switch (below(6)) {
    case 0:
      return valid.subarray(0, below(valid.length));
    case 1:
      valid[below(valid.length)] = below(256);
      return valid;
    case 2:
      return random(below(60));
    case 3:
      return Buffer.concat(
        Array.from({ length: 1 + below(200) }, () => Buffer.from([pick(HEADS), ...random(below(5))])),
      );
    case 4:
      return Buffer.alloc(below(3500), pick(HEADS));
    default:
      return pack(
        pick<unknown>([
          { __proto__: null, constructor: 1 },
          ["n"],
          "n",
          -1,
          { n: "1" },
          new Map([[{}, 1]]),
          new Date(NaN),
        ]),
      );
  }
}

/** A frame that is not what it should be; never the one by which a client leaves. */
function frame(): Buffer {
  const type = pick([
    text("echo"),
    text("__proto__"),
    text("x"),
    Buffer.from([pick(HEADS), ...random(4)]),
    random(below(4)),
  ]);
  const id = pick([
    // Not what the vandal's SDK counts from: the answer to garbage would be taken for that to its own request.
    Buffer.from([16 + below(112)]),
    Buffer.from([0xce, ...random(4)]),
    Buffer.from([0xcb, ...random(below(9))]),
  ]);
  const made = pick([
    () => Buffer.concat([Buffer.from([Protocol.ROOM_REQUEST]), id, type, payload()]),
    () => Buffer.concat([Buffer.from([Protocol.ROOM_DATA]), type, payload()]),
    () => Buffer.concat([Buffer.from([Protocol.ROOM_DATA_BYTES]), type, payload()]),
    () => Buffer.concat([Buffer.from([below(256)]), random(below(30))]),
    () => Buffer.alloc(0),
  ])();
  return ((made[0] ?? 0) & 0x1f) === Protocol.LEAVE_ROOM ? Buffer.alloc(1) : made;
}

describe("garbage on a room's socket", function () {
  this.timeout(120_000);
  let edge: Edge;
  let server: Server;
  let vandal: Room;
  let player: Room;
  /** What becomes due once a client has had its time to say that it joined. */
  const due: (() => void)[] = [];
  const clock: Clock = {
    ...systemClock,
    schedule(callback, ms) {
      if (ms === JOIN_ACKNOWLEDGED_MS) due.push(callback);
      return systemClock.schedule(callback, ms);
    },
  };
  const faults: unknown[] = [];
  const onFault = (fault: unknown): void => void faults.push(fault);

  async function join(id: string): Promise<Room> {
    const client = new Client(edge.url);
    client.auth.token = await edge.token("player", id);
    return await client.joinOrCreate("echo");
  }

  before(async () => {
    console.log(`      seed ${SEED} (SEED=${SEED} replays)`);
    process.on("unhandledRejection", onFault);
    edge = new Edge();
    const { tokens, log: logger } = edge.services;
    provideRoomServices({ verify: (token) => tokens.verify(token), logger, clock, draining: () => false });
    server = await openRooms(edge, { echo: EchoRoom });
    [vandal, player] = await Promise.all([join("vandal"), join("player")]);
    assert.equal(vandal.roomId, player.roomId);
  });

  afterEach(async () => {
    assert.deepEqual(faults.splice(0), []);
    assert.equal(await player.request("echo", { n: 7 }), 7);
  });

  after(async () => {
    await Promise.all([vandal.leave(), player.leave()]);
    await server.gracefullyShutdown(false);
    await edge.close();
    process.off("unhandledRejection", onFault);
  });

  it("ends neither the vandal's connection nor disturbs another player in the room", async () => {
    const left: number[] = [];
    for (const room of [vandal, player]) room.onLeave((code) => left.push(code));
    for (let sent = 0; sent < FRAMES; sent += 1) {
      vandal.connection.send(frame());
      if (sent % 100 === 0) assert.equal(await player.request("echo", { n: sent }), sent);
    }
    assert.equal(await vandal.request("echo", { n: 1 }), 1);
    assert.deepEqual(left, []);
    assert.ok(!edge.logged.some((line) => line.includes('"level":"error"')), edge.logged.at(-1));
  });

  it("turns away sockets that name no seat, whatever they name", async () => {
    const { roomId, sessionId } = player;
    const names = ["__proto__", "constructor", "hasOwnProperty", "", "%", "x".repeat(500), roomId, sessionId];
    const paths = names.flatMap((room) =>
      names.map((session) => `/${pick(names)}/${room}?sessionId=${session}&reconnectionToken=${pick(names)}`),
    );
    const sockets = paths.concat("/", "/x", "//", "/?sessionId=x", `/p/${roomId}`).map(async (path) => {
      const socket = new WebSocket(`${edge.url.replace("http", "ws")}${path}`);
      socket.on("error", () => {});
      socket.on("open", () => socket.send(frame()));
      await once(socket, "close");
    });
    await Promise.all(sockets);
  });

  it("survives upgrades whose targets are no URLs", async () => {
    const targets = [
      "*",
      "http://[",
      "ws://a:99999999/",
      "//[/x",
      "/\\",
      "/%zz/%zz?%zz",
      "/?sessionId=%zz",
      "http://%/x",
    ];
    for (const target of targets) {
      const socket = connect(edge.port, "127.0.0.1");
      socket.on("error", () => {});
      socket.write(
        `GET ${target} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
      );
      await once(socket, "data").then(() => socket.destroy());
      assert.equal(await player.request("echo", { n: 3 }), 3, target);
    }
  });

  it("lets go of a client that never says that it joined", async () => {
    const client = new Client(edge.url);
    client.auth.token = await edge.token("player", "mute");
    const seat = (await edge.post("/matchmake/joinOrCreate/echo", {}, { authorization: `Bearer ${client.auth.token}` }))
      .body;
    const url = `${edge.url.replace("http", "ws")}/${seat.processId}/${seat.roomId}?sessionId=${seat.sessionId}`;
    const socket = new WebSocket(url);
    await once(socket, "message");
    for (let i = 0; i < 500; i += 1) socket.send(frame());
    for (const end of due) end();
    assert.equal((await once(socket, "close"))[0], CloseCode.WITH_ERROR);
  });
});
