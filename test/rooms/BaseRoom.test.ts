import assert from "node:assert/strict";
import { type EventEmitter, once } from "node:events";
import { CloseCode, matchMaker, Protocol, type Server } from "@colyseus/core";
import { Client, type Room } from "@colyseus/sdk";
import { z } from "zod";
import { systemClock } from "../../src/clock.ts";
import { type ErrorCode, RingmasterError } from "../../src/errors.ts";
import { admit } from "../../src/rooms/runtime/admission.ts";
import { BaseRoom, type RoomClient } from "../../src/rooms/runtime/BaseRoom.ts";
import { provideRoomServices } from "../../src/rooms/runtime/services.ts";
import { Edge, openRooms } from "../http/edge.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { RawClient } from "../support/RawClient.ts";
import type { Seat } from "./support/RoomProcess.ts";

const talkOptions = z.looseObject({ topic: z.string().max(10).optional() });

class TalkRoom extends BaseRoom {
  static override onAuth = admit({
    role: "player",
    options: talkOptions,
    check: async ({ topic }, identity) => {
      if (topic === "gone") throw new RingmasterError("not_found", `${identity.name} finds no such topic.`);
    },
  });

  protected override readonly messagesPerSecond = 10_000;
  protected override readonly messageBurst = 10_000;
  readonly heard: string[] = [];
  release = Promise.withResolvers<string>();

  override onCreate({ topic }: z.output<typeof talkOptions>): void {
    if (topic === "uncreated") throw new RingmasterError("wrong_phase", "Not yet.");
    if (topic === "broken") throw new Error("secret");
    this.request(
      "echo",
      z.strictObject({ text: z.string().max(20), tags: z.array(z.int()).optional() }),
      (_, said) => said,
    );
    this.request("whoami", z.unknown(), (client) => {
      const { playerId, name, role } = client.auth!;
      return { playerId, name, role };
    });
    this.request("nothing", z.undefined(), () => undefined);
    this.request("refuse", z.unknown(), () => {
      throw new RingmasterError("conflict", "Somebody was faster.", { by: "them" });
    });
    this.request("break", z.unknown(), async () => {
      throw new Error("secret");
    });
    this.request("unsendable", z.unknown(), () => ({ toJSON: 1, deep: () => {}, huge: 2n ** 200n }));
    this.request("slow", z.unknown(), () => this.release.promise);
  }

  override onPlayerJoin(client: RoomClient, options: unknown): void {
    if ((options as { topic?: string }).topic === "unjoined") throw new RingmasterError("conflict", "Full of itself.");
    this.heard.push(`${client.auth?.playerId} joins`);
  }

  override onPlayerBack(client: RoomClient): void {
    this.heard.push(`${client.auth?.playerId} is back`);
  }

  override onPlayerGone(client: RoomClient): void {
    this.heard.push(`${client.auth?.playerId} is gone`);
  }
}

class CalmRoom extends BaseRoom {
  static override onAuth = admit({ role: "player" });

  override onCreate(): void {
    this.request("hello", z.unknown(), () => "hello");
  }
}

class ImpatientRoom extends TalkRoom {
  static override onAuth = admit({ role: "player" });
  protected override readonly reconnectionSeconds = 0.05;
}

/** Until when a player of the slow room is not in it. */
const gate = Promise.withResolvers<void>();

class SlowRoom extends TalkRoom {
  static override onAuth = admit({ role: "player" });

  override async onPlayerJoin(): Promise<void> {
    await gate.promise;
  }
}

class BackRoom extends BaseRoom {
  static override onAuth = admit({ role: "viewer" });
}

interface Answered {
  room: string;
  type: string;
  outcome: ErrorCode | "ok";
  seconds: number;
}

describe("BaseRoom", () => {
  let edge: Edge;
  let server: Server;
  let clients = 0;
  const answered: Answered[] = [];
  const faults: unknown[] = [];
  const onFault = (fault: unknown): void => void faults.push(fault);

  before(async () => {
    process.on("unhandledRejection", onFault);
    edge = new Edge();
    provideRoomServices({
      verify: (token) => edge.services.tokens.verify(token),
      logger: edge.services.log,
      clock: systemClock,
      draining: () => edge.services.readiness.draining,
      requestAnswered: (room, type, outcome, seconds) => answered.push({ room, type, outcome, seconds }),
    });
    server = await openRooms(edge, {
      talk: TalkRoom,
      calm: CalmRoom,
      impatient: ImpatientRoom,
      slow: SlowRoom,
      back: BackRoom,
    });
  });

  afterEach(() => {
    assert.deepEqual(faults.splice(0), []);
  });

  after(async () => {
    await server.gracefullyShutdown(false);
    await edge.close();
    process.off("unhandledRejection", onFault);
  });

  async function player(role: "player" | "operator" = "player"): Promise<Client> {
    clients += 1;
    const client = new Client(edge.url);
    client.auth.token = await edge.token(role, `p${clients}`);
    return client;
  }

  /** A client in a room of its own, of which the server knows that it has joined. */
  async function talk(name = "talk"): Promise<Room> {
    const room: Room = await (await player()).create(name);
    room.reconnection.enabled = false;
    await room.request("nothing");
    return room;
  }

  const serverSide = (room: Room): TalkRoom => matchMaker.getLocalRoomById(room.roomId) as unknown as TalkRoom;

  /** The `{code, message, details?}` of a request that must be rejected. */
  async function reasonOf(request: Promise<unknown>): Promise<{ code: ErrorCode; message: string; details?: unknown }> {
    const error = await request.then(
      (value) => assert.fail(`answered: ${JSON.stringify(value)}`),
      (thrown: { reason: { code: ErrorCode; message: string } }) => thrown,
    );
    return error.reason;
  }

  it("answers requests with what their handlers return", async () => {
    const room = await talk();
    assert.deepEqual(await room.request("echo", { text: "hi", tags: [1] }), { text: "hi", tags: [1] });
    assert.equal(await room.request("nothing"), undefined);
    assert.deepEqual(await room.request("whoami"), { playerId: `p${clients}`, name: "player", role: "player" });
    const last = answered.at(-1)!;
    assert.deepEqual({ ...last, seconds: 0 }, { room: "talk", type: "whoami", outcome: "ok", seconds: 0 });
    assert.ok(last.seconds >= 0);
    await room.leave();
  });

  it("rejects what does not fit its shape, and names the field", async () => {
    const room = await talk();
    for (const [payload, path] of [
      [{ text: 5 }, "text"],
      [{ text: "x".repeat(21) }, "text"],
      [{ text: "x", tags: [1, "2"] }, "tags.1"],
      [{}, "text"],
      [undefined, ""],
      [null, ""],
      ["text", ""],
      [{ text: "x", more: 1 }, "more"],
    ] as const) {
      const reason = await reasonOf(room.request("echo", payload));
      assert.equal(reason.code, "invalid_payload");
      assert.equal((reason.details as { path: string }[])[0]?.path, path);
      assert.ok(reason.message.startsWith(path));
    }
    await room.leave();
  });

  it("rejects with the errors of its handlers, and keeps to itself what is not one of ours", async () => {
    const room = await talk();
    assert.deepEqual(await reasonOf(room.request("refuse")), {
      code: "conflict",
      message: "Somebody was faster.",
      details: { by: "them" },
    });
    assert.equal((await reasonOf(room.request("break"))).code, "internal");
    assert.equal((await reasonOf(room.request("unsendable"))).code, "internal");
    assert.doesNotMatch(JSON.stringify(await reasonOf(room.request("break"))), /secret/);
    assert.ok(edge.logged.some((line) => line.includes("secret") && line.includes('"type":"break"')));
    assert.equal(answered.at(-1)?.outcome, "internal");
    await room.leave();
  });

  it("rejects requests it does not know, whatever they are called", async () => {
    const room = await talk();
    for (const type of ["unknown", "__proto__", "constructor", "toString", "*", "_$becho", "x".repeat(60), 5]) {
      assert.equal((await reasonOf(room.request(type as string, {}))).code, "unknown_request", String(type));
    }
    assert.equal(answered.at(-1)?.type, "unknown");
    assert.deepEqual(await room.request("echo", { text: "still here" }), { text: "still here" });
    await room.leave();
  });

  it("tells of messages and bytes that they are not taken, and keeps the connection", async () => {
    const room = await talk();
    const told: [number, string | undefined][] = [];
    room.onError((code, message) => told.push([code, message]));
    room.send("echo", { text: "hi" });
    await until(() => told.length > 0, { what: "the client is told", timeoutMs: DEADLINE_MS });
    assert.equal(told[0]?.[0], 404);
    assert.match(told[0]?.[1] ?? "", /^unknown_request: /);
    room.send("unknown");
    room.sendBytes("bytes", new Uint8Array([1, 2, 3]));
    assert.deepEqual(await room.request("echo", { text: "still here" }), { text: "still here" });
    assert.equal(told.length, 1, "a client is not flooded with what it did wrong");
    await room.leave();
  });

  it("turns away what is beyond the limit, and serves again when there is room", async () => {
    const client = await player();
    const room = await client.create("calm");
    const results = await Promise.allSettled(Array.from({ length: 200 }, () => room.request("hello")));
    const served = results.filter(({ status }) => status === "fulfilled").length;
    assert.ok(served >= 39 && served < 100, `${served} of 200 are served`);
    for (const result of results) {
      if (result.status === "rejected") assert.equal(result.reason.reason.code, "rate_limited");
    }
    for (let i = 0; i < 200; i += 1) room.connection.send(new Uint8Array([0xff, 0xff]));
    await until(() => room.request("hello"), { what: "it is served again", timeoutMs: DEADLINE_MS });
    assert.equal(await room.leave(), CloseCode.CONSENTED);
  });

  it("answers what was asked before it had let its player in", async () => {
    const { data } = await (await player()).http.post("/matchmake/create/slow", { body: {} });
    const { processId, roomId, sessionId } = data as Seat;
    const raw = new RawClient(`${edge.url.replace("http", "ws")}/${processId}/${roomId}`, sessionId);
    await once(raw.socket, "open");
    raw.send("request", { id: 1, type: "whoami" });
    // What was sent before a ping has arrived when that is answered.
    raw.socket.ping();
    await once(raw.socket, "pong");
    gate.resolve();
    const { id, ok } = await raw.message<{ id: number; ok: boolean }>("response");
    assert.deepEqual([id, ok], [1, true]);
    raw.socket.close();
  });

  it("closes the connection of a frame beyond the transport's bound, and no other", async () => {
    const [one, other] = [await talk(), await talk()];
    const left = new Promise<number>((resolve) => one.onLeave(resolve));
    one.connection.send(new Uint8Array(100_000));
    assert.equal(await left, 1009);
    assert.deepEqual(await other.request("echo", { text: "undisturbed" }), { text: "undisturbed" });
    await other.leave();
  });

  describe("admission", () => {
    const refused = async (join: Promise<unknown>): Promise<[number, string]> => {
      const { code, message } = await join.then(
        () => assert.fail("joined"),
        (error: { code: number; message: string }) => error,
      );
      return [code, message.split(":")[0]!];
    };

    it("refuses a missing, a forged and an expired token", async () => {
      const client = new Client(edge.url);
      // The SDK keeps the token of a sign-in for every later client of the process.
      client.auth.signOut();
      assert.deepEqual(await refused(client.joinOrCreate("talk")), [401, "unauthenticated"]);
      const identity = { playerId: "p", name: "p", role: "player" } as const;
      const valid = await edge.token("player");
      const expired = await edge.services.tokens.issue(identity, -1);
      for (const token of [`${valid.slice(0, -4)}AAAA`, expired, "x", "a.b.c"]) {
        client.auth.token = token;
        assert.deepEqual(await refused(client.joinOrCreate("talk")), [401, "unauthenticated"]);
      }
    });

    it("refuses a role that is too small", async () => {
      assert.deepEqual(await refused((await player()).joinOrCreate("back")), [403, "forbidden"]);
      const room = await (await player("operator")).joinOrCreate("back");
      await room.leave();
    });

    it("refuses options that do not fit, and what they name that is not there", async () => {
      const client = await player();
      for (const topic of [5, "x".repeat(11), null, {}]) {
        assert.deepEqual(await refused(client.joinOrCreate("talk", { topic })), [400, "invalid_payload"]);
      }
      assert.deepEqual(await refused(client.joinOrCreate("talk", { topic: "gone" })), [404, "not_found"]);
    });

    it("passes on why a room could not be created or joined", async () => {
      const client = await player();
      assert.deepEqual(await refused(client.create("talk", { topic: "uncreated" })), [409, "wrong_phase"]);
      assert.deepEqual(await refused(client.create("talk", { topic: "broken" })), [500, "internal"]);
      assert.deepEqual(await refused(client.create("talk", { topic: "unjoined" })), [409, "conflict"]);
    });

    it("lets nobody in who passed no admission", async () => {
      const seat = await matchMaker.create("talk", {});
      const { heard } = matchMaker.getLocalRoomById(seat.roomId) as unknown as TalkRoom;
      const join = new Client(edge.url).consumeSeatReservation(seat as never);
      assert.deepEqual(await refused(join), [401, "unauthenticated"]);
      await until(() => matchMaker.getLocalRoomById(seat.roomId) === undefined, {
        what: "the room is disposed of",
        // Sooner than its seat expires, with which it would go in any case.
        timeoutMs: 10_000,
      });
      assert.deepEqual(heard, [], "nobody came, and nobody went");
    });
  });

  describe("a drop", () => {
    const drop = (room: Room): void => {
      const [client] = serverSide(room).clients;
      (client!.ref as unknown as { terminate(): void }).terminate();
    };

    it("keeps the seat of a dropped player, who comes back as the same", async () => {
      const room = await talk();
      const { heard } = serverSide(room);
      const id = `p${clients}`;
      Object.assign(room.reconnection, { enabled: true, minUptime: 0, minDelay: 1, delay: 1 });
      const back = new Promise<void>((resolve) => room.onReconnect(() => resolve()));
      drop(room);
      await back;
      assert.deepEqual(heard, [`${id} joins`, `${id} is back`]);
      assert.deepEqual(await room.request("whoami"), { playerId: id, name: "player", role: "player" });
      await room.leave();
      await until(() => heard.length === 3, { what: "the player is gone", timeoutMs: DEADLINE_MS });
      assert.equal(heard[2], `${id} is gone`);
    });

    it("lets a player go who does not come back in time, once", async () => {
      const room = await talk("impatient");
      const { heard } = serverSide(room);
      drop(room);
      await until(() => heard.length === 2, { what: "the player is gone", timeoutMs: DEADLINE_MS });
      assert.equal(heard[1], `p${clients} is gone`);
    });
  });

  it("gives the answers it owes when it is shut down, takes no new requests, and closes so that clients go elsewhere", async () => {
    const room = await talk();
    const left = new Promise<number>((resolve) => room.onLeave(resolve));
    const owed = room.request("slow");
    await until(() => room.request("nothing").then(() => true), {
      what: "the slow one has arrived",
      timeoutMs: DEADLINE_MS,
    });
    serverSide(room).onBeforeShutdown();
    assert.equal((await reasonOf(room.request("nothing"))).code, "draining");
    serverSide(room).release.resolve("done");
    assert.equal(await owed, "done");
    assert.equal(await left, CloseCode.SERVER_SHUTDOWN);
  });

  describe("on a node that drains", () => {
    /** Opens the socket of a seat, and tells the frames that came and the code that it was closed with. */
    async function sit(seat: Seat, more = ""): Promise<{ codes: number[]; closed: number }> {
      const url = `${edge.url.replace("http", "ws")}/${seat.processId}/${seat.roomId}?sessionId=${seat.sessionId}${more}`;
      const socket = new WebSocket(url);
      socket.binaryType = "arraybuffer";
      const codes: number[] = [];
      socket.addEventListener("message", ({ data }) => codes.push(new Uint8Array(data)[0]!));
      const closed = await new Promise<number>((resolve) => {
        socket.addEventListener("close", ({ code }) => resolve(code));
      });
      return { codes, closed };
    }

    it("sends elsewhere who comes late for a seat, or comes back, and closes its rooms without them", async () => {
      const client = await player();
      const room = await client.create("talk");
      room.reconnection.enabled = false;
      const left = new Promise<number>((resolve) => room.onLeave(resolve));
      const [taken] = await Promise.all([
        client.http.post(`/matchmake/joinById/${room.roomId}`, { body: {} }),
        // Nobody ever comes for this one.
        client.http.post(`/matchmake/joinById/${room.roomId}`, { body: {} }),
      ]);
      const owed = room.request("slow");
      await room.request("nothing");

      edge.services.readiness.drain();
      serverSide(room).onBeforeShutdown();
      const seat = taken.data as Seat;
      assert.deepEqual(await sit(seat), { codes: [Protocol.ERROR], closed: CloseCode.SERVER_SHUTDOWN });
      const late = new Client(edge.url).consumeSeatReservation(seat as never);
      await assert.rejects(late, { code: 503, message: /^draining: / });
      const token = room.reconnectionToken.split(":")[1];
      const mine = { ...seat, sessionId: room.sessionId };
      assert.equal((await sit(mine, `&reconnectionToken=${token}`)).closed, CloseCode.SERVER_SHUTDOWN);

      const { _events: events } = serverSide(room) as unknown as { _events: EventEmitter };
      const disposed = once(events, "disconnect");
      serverSide(room).release.resolve("done");
      assert.equal(await owed, "done");
      assert.equal(await left, CloseCode.SERVER_SHUTDOWN);
      await disposed;
    });

    it("gives no seat and creates no room, not to a peer either", async () => {
      await assert.rejects(matchMaker.create("calm", {}), { code: "draining" });
    });
  });
});
