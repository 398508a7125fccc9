import assert from "node:assert/strict";
import { type AuthContext, CloseCode, Protocol, Room, type Server, ServerError } from "@colyseus/core";
import { Client } from "@colyseus/sdk";
import { RingmasterError } from "../../src/errors.ts";
import { type Answer, bearer, Edge, openRooms, sendRaw } from "./edge.ts";

/** What the last `onAuth` was given. */
let seen: { ip: string | undefined; token: string | undefined; options: unknown };

class OpenRoom extends Room {
  static override async onAuth(token: string, options: unknown, context: AuthContext): Promise<boolean> {
    seen = { ip: context.ip, token, options };
    return true;
  }

  override maxClients = 2;
  override messages = { ip: () => undefined };

  override onJoin(_client: unknown, _options?: unknown): void {}
}

/** Throws what the client asks for, where the client asks for it. */
class ThrowingRoom extends Room {
  static override async onAuth(_token: string, options: { at: string; what: string }): Promise<boolean> {
    if (options.at === "auth") throw THROWN[options.what]!();
    return options.at !== "refuse";
  }

  override onCreate(options: { at: string; what: string }): void {
    if (options.at === "create") throw THROWN[options.what]!();
  }
}

/** What the next admissions come to, in order; from then on everybody is let in. */
const admissions: Array<() => Promise<boolean>> = [];

class WaitingRoom extends Room {
  static override onAuth(): Promise<boolean> {
    return admissions.shift()?.() ?? Promise.resolve(true);
  }
}

type Thrower = () => unknown;

/** Errors that are not ours, and so must not be heard of. */
const FOREIGN: Record<string, Thrower> = {
  plain: () => new Error("secret 10.0.0.7"),
  numbered: () => new ServerError(4300, "secret 10.0.0.7"),
  informational: () => new ServerError(100, "secret 10.0.0.7"),
  named: () => Object.assign(new Error("secret 10.0.0.7"), { code: "EACCES" }),
  prototype: () => Object.assign(new Error("secret 10.0.0.7"), { code: "constructor" }),
  text: () => "secret 10.0.0.7",
};

const THROWN: Record<string, Thrower> = {
  ...FOREIGN,
  away: () => Object.assign(new Error("secret 10.0.0.7"), { code: "ECONNREFUSED" }),
  typed: () => new RingmasterError("wrong_phase", "The hunt has not begun.", { phase: "scheduled" }),
  remote: () => ({ code: "unavailable", message: "unavailable: No node serves rooms." }),
};

describe("Matchmaking", () => {
  let edge: Edge;
  let server: Server;

  before(async () => {
    edge = new Edge();
    server = await openRooms(edge, { open: OpenRoom, throwing: ThrowingRoom, waiting: WaitingRoom });
  });
  after(async () => {
    await server.gracefullyShutdown(false);
    await edge.close();
  });

  function join(
    room: string,
    options?: unknown,
    headers: Record<string, string> = {},
    method = "joinOrCreate",
  ): Promise<Answer> {
    return edge.post(`/matchmake/${method}/${room}`, options, headers);
  }

  function refusal(answer: Answer): [number, string | undefined] {
    assert.equal(answer.body.message, `${answer.error?.code}: ${answer.error?.message}`);
    return [answer.status, answer.error?.code];
  }

  it("seats an SDK client in a room, by each of its methods", async () => {
    const client = new Client(edge.url);
    client.auth.token = await edge.token("player");
    const first = await client.joinOrCreate("open", { since: "5" });
    assert.equal(seen.token, client.auth.token);
    assert.deepEqual(seen.options, { since: "5" });
    const second = await client.joinById(first.roomId);
    await second.leave();
    const third = await client.join("open");
    assert.equal(third.roomId, first.roomId);
    await third.leave();
    const own = await client.create("open");
    assert.notEqual(own.roomId, first.roomId);
    await Promise.all([first.leave(), own.leave()]);
  });

  it("tells an SDK client why not, by status, code and in words", async () => {
    const client = new Client(edge.url);
    const [missing, early] = await Promise.allSettled([
      client.joinOrCreate("none"),
      client.joinOrCreate("throwing", { at: "auth", what: "typed" }),
    ]);
    const reasonOf = (result: PromiseSettledResult<unknown>) => (result as PromiseRejectedResult).reason;
    assert.equal(reasonOf(missing).code, 404);
    assert.match(reasonOf(missing).message, /none/);
    assert.equal(reasonOf(early).code, 409);
    assert.equal(reasonOf(early).message, "wrong_phase: The hunt has not begun.");
  });

  it("passes a room's typed error on, details and all when it comes from onAuth", async () => {
    const fromAuth = await join("throwing", { at: "auth", what: "typed" });
    assert.deepEqual(refusal(fromAuth), [409, "wrong_phase"]);
    assert.deepEqual(fromAuth.error!.details, { phase: "scheduled" });
    assert.deepEqual(refusal(await join("throwing", { at: "create", what: "typed" })), [409, "wrong_phase"]);
    assert.deepEqual(refusal(await join("throwing", { at: "refuse" })), [401, "unauthenticated"]);
    const remote = await join("throwing", { at: "auth", what: "remote" });
    assert.deepEqual(refusal(remote), [503, "unavailable"]);
    assert.equal(remote.error!.message, "No node serves rooms.");
  });

  for (const at of ["auth", "create"]) {
    for (const what of Object.keys(FOREIGN)) {
      it(`answers internal, without its text, when a room throws something ${what} at ${at}`, async () => {
        const answer = await join("throwing", { at, what });
        assert.deepEqual(refusal(answer), [500, "internal"]);
        assert.doesNotMatch(answer.text, /secret/);
      });
    }
  }

  it("answers unavailable, without its text, when what admits to a room is out of reach", async () => {
    const answer = await join("throwing", { at: "auth", what: "away" });
    assert.deepEqual(refusal(answer), [503, "unavailable"]);
    assert.doesNotMatch(answer.text, /secret/);
  });

  it("knows no other rooms, ids and methods", async () => {
    const unknown = [
      await join("none", {}),
      await join("__proto__", {}),
      await join("constructor", {}, {}, "join"),
      await join("x".repeat(65), {}),
      await join("a%20b", {}),
      await join("open", {}, {}, "constructor"),
      await join("open", {}, {}, "getRoomById"),
      await join("open", {}, {}, "remoteRoomCall"),
      await join("nowhere", {}, {}, "joinById"),
      await join("__proto__", {}, {}, "joinById"),
      await join("nowhere", { reconnectionToken: "x" }, {}, "reconnect"),
      await join("throwing", {}, {}, "join"),
    ];
    for (const answer of unknown) assert.deepEqual(refusal(answer), [404, "not_found"]);
  });

  it("refuses options that are no options", async () => {
    for (const options of [
      "{",
      "[]",
      "5",
      '"open"',
      '{"hasOwnProperty":1}',
      '{"__proto__":{"a":1}}',
      '{"toString":1}',
    ]) {
      assert.deepEqual(refusal(await join("open", options)), [400, "invalid_payload"], options);
    }
    assert.deepEqual(refusal(await join("nowhere", {}, {}, "reconnect")), [400, "invalid_payload"]);
    assert.deepEqual(refusal(await join("open", { pad: "x".repeat(70_000) })), [413, "payload_too_large"]);
    const asText = { "content-type": "text/plain" };
    assert.deepEqual(refusal(await join("open", "{}", asText)), [400, "invalid_payload"]);
  });

  it("tells rooms the address that we believe, not the one that a client claims", async () => {
    const claims = { "x-forwarded-for": "10.0.0.1", "x-real-ip": "10.0.0.2", "x-client-ip": "10.0.0.3" };
    assert.equal((await join("open", {}, claims)).status, 200);
    assert.equal(seen.ip, "127.0.0.1");
  });

  it("survives heads that no URL can be made of", async () => {
    for (const head of ["Host: a b", "Host: [", "Host: x\r\nX-Forwarded-Proto: %%%", "Host: \u00ff"]) {
      const length = "Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close";
      const bytes = `POST /matchmake/joinOrCreate/open HTTP/1.1\r\n${head}\r\n${length}\r\n\r\n{}`;
      assert.match(await sendRaw(edge, Buffer.from(bytes, "latin1")), /^HTTP\/1\.1 (200|400) /, head);
    }
  });

  it("answers on the root what the page answers, not what Colyseus would", async () => {
    assert.match((await edge.get("/")).text, /player page/);
    assert.equal((await edge.get("/__healthcheck")).error?.code, "not_found");
  });

  it("seats nobody without a seat: the socket is closed, and others stay", async () => {
    const room = await new Client(edge.url).joinOrCreate("open");
    for (const roomId of [room.roomId, "nowhere", "constructor", "__proto__", "hasOwnProperty"]) {
      const forged = new WebSocket(`ws://127.0.0.1:${edge.port}/x/${roomId}?sessionId=forged`);
      await new Promise((resolve) => forged.addEventListener("close", resolve));
    }
    assert.equal(room.connection.isOpen, true);
    await room.leave();
  });

  describe("through the monitor", () => {
    it("is watched by operators only, who may send their token as a password", async () => {
      const token = await edge.token("operator");
      const basic = (password: string) => ({ authorization: `Basic ${btoa(`anybody:${password}`)}` });
      const nobody = await edge.get("/monitor/api");
      assert.deepEqual([nobody.status, nobody.error?.code], [401, "unauthenticated"]);
      assert.match(nobody.headers.get("www-authenticate")!, /^Basic realm=/);
      assert.equal((await edge.get("/monitor/api", basic("wrong"))).status, 401);
      assert.equal((await edge.get(`/monitor/api?token=${token}`)).status, 401);
      for (const role of ["player", "viewer"] as const) {
        assert.equal((await edge.get("/monitor/api", bearer(await edge.token(role)))).status, 403);
      }
      for (const headers of [bearer(token), basic(token)]) {
        const page = await edge.get("/monitor/", headers);
        assert.equal(page.status, 200);
        assert.match(page.text, /<div id="app">/);
        assert.equal(page.headers.get("x-robots-tag"), "noindex, nofollow");
      }
      const asset = (await edge.get("/monitor/", basic(token))).text.match(/assets\/[\w.-]+\.js/)![0];
      assert.equal((await edge.get(`/monitor/${asset}`, basic(token))).status, 200);
    });

    it("is listed and inspected, but no method of a room can be called", async () => {
      const room = await new Client(edge.url).joinOrCreate("open");
      const operator = bearer(await edge.token("operator"));
      const list = (await edge.get("/monitor/api", operator)).body.rooms as { roomId: string }[];
      assert.ok(list.some(({ roomId }) => roomId === room.roomId));
      const inspected = await edge.get(`/monitor/api/room?roomId=${room.roomId}`, operator);
      assert.equal((inspected.body.clients as unknown[]).length, 1);

      const call = `roomId=${room.roomId}&method=disconnect&args=[]`;
      const ways = [
        "api/room/call",
        "api/room/call/",
        "api/room//call",
        "api/room/%63all",
        "api/./room/call",
        "API/ROOM/CALL",
      ];
      for (const way of [
        ...ways,
        "x/../api/room/call",
        "api/room/call%3f",
        "api/room/../room/call",
        "assets/../api/room/call",
      ]) {
        // Nothing may normalise the path on its way.
        const head = `Host: a\r\nAuthorization: ${operator.authorization}\r\nConnection: close`;
        const raw = await sendRaw(edge, `GET /monitor/${way}?${call} HTTP/1.1\r\n${head}\r\n\r\n`);
        assert.match(raw, /^HTTP\/1\.1 403 /, way);
      }
      const posted = await edge.post(`/monitor/api/room/call?${call}`, {}, operator);
      assert.deepEqual([posted.status, posted.error?.code], [403, "forbidden"]);
      assert.equal(room.connection.isOpen, true);
      await room.leave();
    });

    it("knows no room that there is not", async () => {
      const operator = bearer(await edge.token("operator"));
      for (const query of ["roomId=nowhere", "roomId=", "roomId[]=x", ""]) {
        const { status, error } = await edge.get(`/monitor/api/room?${query}`, operator);
        assert.deepEqual([status, error?.code], [404, "not_found"], query);
      }
    });

    it("loads its symbols from where they are, and what else it needs", async () => {
      const { headers } = await edge.get("/monitor/", bearer(await edge.token("operator")));
      const policy = headers.get("content-security-policy")!;
      assert.match(policy, /font-src 'self' https:\/\/fonts\.gstatic\.com/);
      assert.match(policy, /style-src [^;]* https:\/\/fonts\.googleapis\.com/);
      assert.match((await edge.get("/playground/")).headers.get("content-security-policy")!, /worker-src 'self' blob:/);
    });

    it("cannot be read by a page from elsewhere, though a browser adds the password by itself", async () => {
      const origin = "https://evil.example";
      const { headers } = await edge.get("/monitor/api", { ...bearer(await edge.token("operator")), origin });
      assert.equal(headers.get("access-control-allow-origin"), null);
    });
  });

  it("refuses an SDK of before 0.17 in words, on the socket that such a one opens", async () => {
    // It takes its room from `room`, and its socket's address from that.
    const { body } = await join("open");
    const { roomId, processId } = body.room as { roomId: string; processId: string };
    const socket = new WebSocket(`ws://127.0.0.1:${edge.port}/${processId}/${roomId}?sessionId=${body.sessionId}`);
    socket.binaryType = "arraybuffer";
    const frames: Buffer[] = [];
    socket.addEventListener("message", ({ data }) => frames.push(Buffer.from(data as ArrayBuffer)));
    const code = await new Promise<number>((resolve) => {
      socket.addEventListener("close", (event) => resolve(event.code));
    });
    assert.equal(code, CloseCode.WITH_ERROR);
    assert.deepEqual([frames.length, frames[0]![0]], [1, Protocol.ERROR]);
    assert.match(frames[0]!.toString(), /invalid_payload: The Colyseus SDK of this client is too old/);
  });

  const ofDrainingPeer = async (): Promise<boolean> => {
    throw new RingmasterError("draining", "draining: This node is shutting down.");
  };

  it("looks for another place while a peer that was to have the room drains, for a while", async () => {
    admissions.push(ofDrainingPeer, ofDrainingPeer);
    assert.equal((await join("waiting")).status, 200);
    admissions.push(...Array.from({ length: 5 }, () => ofDrainingPeer));
    assert.deepEqual(refusal(await join("waiting")), [503, "draining"]);
  });

  describe("on a node that drains", () => {
    it("refuses joins in words that the SDK hands on, also those that were under way and fail for it", async () => {
      const late = Promise.withResolvers<boolean>();
      const asked = Promise.withResolvers<void>();
      admissions.push(() => {
        asked.resolve();
        return late.promise;
      });
      const underWay = join("waiting");
      await asked.promise;
      edge.services.readiness.drain();
      late.reject(new Error("secret: the rooms are closing"));
      assert.deepEqual(refusal(await underWay), [503, "draining"]);
      const refused = new Client(edge.url).joinOrCreate("open");
      await assert.rejects(refused, { code: 503, message: /^draining: This node is shutting down/ });
    });
  });
});
