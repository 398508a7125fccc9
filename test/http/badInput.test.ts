import assert from "node:assert/strict";
import { connect } from "node:net";
import { Room, type Client as RoomClient, type Server } from "@colyseus/core";
import { Client } from "@colyseus/sdk";
import { seededRng } from "../../src/clock.ts";
import type { ErrorCode } from "../../src/errors.ts";
import { OPERATOR_TOKEN_MS, Tokens } from "../../src/http/auth/tokens.ts";
import { documentedErrors } from "../docs/documents.ts";
import { aHunt, bearer, Edge, openRooms, SECRET, sendRaw } from "./edge.ts";

const DOCUMENTED = documentedErrors();

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const REQUESTS = 4000;
const AT_ONCE = 32;

/** One bad request: how to send it, and the codes that it may be answered with. */
interface Bad {
  what: string;
  codes: ErrorCode[];
  /** What came back; `undefined` when the sender did not wait for it. */
  send(): Promise<{ status: number; text: string } | undefined>;
}

class EchoRoom extends Room {
  override messages = {
    echo: (_client: RoomClient, text: string) => text,
  };
}

const rng = seededRng(SEED);
const below = (bound: number): number => Math.floor(rng.next() * bound);
const pick = <T>(items: readonly T[]): T => items[below(items.length)]!;

/** Values that no field of ours wants, whatever it wants. */
const JUNK: readonly unknown[] = [
  null,
  [],
  {},
  [[]],
  { toString: 1 },
  true,
  -1,
  0.5,
  1e308,
  2 ** 53,
  "",
  " ",
  "\u0000",
  "\u202Eevil",
  "\uD800",
  "x".repeat(3000),
  { $ne: null },
  [null],
];

/** Names that every plain object has without having been given them. */
const INHERITED = ["__proto__", "constructor", "hasOwnProperty", "toString", "__defineGetter__", "valueOf"] as const;

function bytes(length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => below(256)));
}

function token(part: () => string = () => bytes(30).toString("base64url")): string {
  return `${part()}.${part()}.${part()}`;
}

describe("Bad input", function () {
  this.timeout(120_000);
  let edge: Edge;
  let server: Server;
  let operator: Record<string, string>;
  /** So many that none of them is sending too much. */
  let players: Record<string, string>[];
  let expired: string;

  before(async () => {
    console.log(`      seed ${SEED} (SEED=${SEED} replays)`);
    edge = new Edge();
    server = await openRooms(edge, { echo: EchoRoom });
    operator = bearer(await edge.token("operator"));
    const ids = Array.from({ length: 50 }, (_, i) => `player${i}`);
    players = await Promise.all(ids.map(async (id) => bearer(await edge.token("player", id))));
    const past = { ...edge.services.clock, now: () => Date.now() - OPERATOR_TOKEN_MS - 60_000 };
    const identity = { playerId: "operator1", name: "x", role: "operator" } as const;
    expired = await new Tokens(SECRET, past).issue(identity, OPERATOR_TOKEN_MS);
  });
  after(async () => {
    await server.gracefullyShutdown(false);
    await edge.close();
  });

  async function request(method: string, path: string, headers: HeadersInit, body?: BodyInit) {
    const response = await fetch(`${edge.url}${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
    return { status: response.status, text: await response.text() };
  }

  function post(path: string, body: unknown, headers: Record<string, string> = {}) {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    return request("POST", path, { "content-type": "application/json", ...headers }, text);
  }

  async function raw(sent: string | Uint8Array): Promise<{ status: number; text: string }> {
    const answer = await sendRaw(edge, sent);
    const [head = "", text = ""] = answer.split("\r\n\r\n", 2);
    return { status: Number(head.split(" ")[1]), text };
  }

  /** Where somebody may post, and with which headers they may. */
  const posts = (): [path: string, headers: Record<string, string>][] => [
    ["/auth/anonymous", {}],
    ["/api/hunts", operator],
    ["/api/hunts/hunt1/extend", operator],
    ["/matchmake/joinOrCreate/echo", pick(players)],
  ];

  const storms: (() => Bad)[] = [
    function badName() {
      const name = pick(JUNK);
      return {
        what: `name ${JSON.stringify(name)}`,
        codes: ["invalid_payload"],
        send: () => post("/auth/anonymous", { name }),
      };
    },
    function noObject() {
      const [path, headers] = pick(posts());
      const body = pick(["[]", "5", '"text"', "true", "[{}]", "1e999"]);
      return { what: `${path} ${body}`, codes: ["invalid_payload"], send: () => post(path, body, headers) };
    },
    function brokenJson() {
      const [path, headers] = pick(posts());
      const whole = JSON.stringify(aHunt());
      const body = pick([
        whole.slice(0, 1 + below(whole.length - 1)),
        `${whole}}`,
        `{'a':1}`,
        "{,}",
        "\uFEFF{",
        "undefined",
      ]);
      return {
        what: `${path} ${body.slice(0, 50)}`,
        codes: ["invalid_payload"],
        send: () => post(path, body, headers),
      };
    },
    function inheritedName() {
      const [path, headers] = pick(posts());
      const body = `{"${pick(INHERITED)}":${JSON.stringify(pick(JUNK))}}`;
      return { what: `${path} ${body}`, codes: ["invalid_payload"], send: () => post(path, body, headers) };
    },
    function badHunt() {
      const hunt: Record<string, unknown> = { ...aHunt() };
      const key = pick(Object.keys(hunt));
      hunt[key] = pick(JUNK);
      const codes: ErrorCode[] = ["invalid_payload"];
      return {
        what: `hunt ${key} ${JSON.stringify(hunt[key])}`,
        codes,
        send: () => post("/api/hunts", hunt, operator),
      };
    },
    function badClue() {
      const clue: Record<string, unknown> = { ...aHunt().clues[0] };
      const key = pick(Object.keys(clue));
      if (below(2) === 0) delete clue[key];
      else clue[key] = pick(JUNK);
      const hunt = { ...aHunt(), clues: [clue] };
      return { what: `clue ${key}`, codes: ["invalid_payload"], send: () => post("/api/hunts", hunt, operator) };
    },
    function hugeBody() {
      const [path, headers] = pick(posts());
      const limit = path === "/api/hunts" ? 2 * 1024 * 1024 : 64 * 1024;
      const body = `{"name":"${"x".repeat(limit + below(limit))}"}`;
      return {
        what: `${path} ${body.length} bytes`,
        codes: ["payload_too_large"],
        send: () => post(path, body, headers),
      };
    },
    function oddEncoding() {
      const [path, headers] = pick(posts());
      const odd = pick<Record<string, string>>([
        { "content-type": "text/plain" },
        { "content-type": "application/x-www-form-urlencoded" },
        { "content-type": "multipart/form-data; boundary=x" },
        { "content-type": "application/json; charset=ebcdic" },
        { "content-type": "json" },
        { "content-encoding": "gzip" },
        { "content-encoding": "zstd, br" },
      ]);
      return {
        what: JSON.stringify(odd),
        codes: ["invalid_payload"],
        send: () => post(path, "{}", { ...headers, ...odd }),
      };
    },
    function badBytes() {
      const [path, headers] = pick(posts());
      const body = Buffer.concat([Buffer.from([0xff]), bytes(below(200))]);
      const all = { "content-type": "application/json", ...headers };
      return { what: `${path} bytes`, codes: ["invalid_payload"], send: () => request("POST", path, all, body) };
    },
    function badToken() {
      const forged = pick([
        expired,
        token(),
        token(() => ""),
        `${operator.authorization!.slice(7)}x`,
        "x".repeat(5000),
        "null",
      ]);
      const headers = bearer(forged);
      const codes: ErrorCode[] = ["unauthenticated"];
      return pick<Bad>([
        { what: `post with ${forged}`, codes, send: () => post("/api/hunts", aHunt(), headers) },
        { what: `get with ${forged}`, codes, send: () => request("GET", "/api/hunts", headers) },
        { what: `monitor with ${forged}`, codes, send: () => request("GET", "/monitor/api", headers) },
      ]);
    },
    function notAllowed() {
      const [path, method] = pick([
        ["/api/hunts", "POST"],
        ["/api/hunts/hunt1/cancel", "POST"],
        ["/monitor/api/room/call?roomId=a&method=disconnect&args=[]", "GET"],
      ] as const);
      return { what: `player ${path}`, codes: ["forbidden"], send: () => request(method, path, pick(players)) };
    },
    function oddMethod() {
      const method = pick(["PUT", "DELETE", "PATCH", "PROPFIND", "REPORT", "PURGE", "MKCOL", "SEARCH"]);
      const path = pick(["/api/hunts", "/auth/anonymous", "/", "/healthz", "/matchmake/join/echo", "/metrics"]);
      return { what: `${method} ${path}`, codes: ["not_found"], send: () => request(method, path, {}) };
    },
    function oddPath() {
      const [path, code] = pick<[string, ErrorCode]>([
        [`/api/hunts/${pick(INHERITED)}`, "not_found"],
        [`/${bytes(8).toString("hex")}`, "not_found"],
        [`/api/hunts/${"a".repeat(1 + below(14_000))}!`, "not_found"],
        ["/api/hunts/%E0%A4%A", "invalid_payload"],
        ["/api/hunts/a%00b", "not_found"],
        ["/assets/..%2f..%2fpackage.json", "not_found"],
        ["/api//hunts/..;/x", "not_found"],
        [`/api/hunts/x?${"a=b&".repeat(2000)}`, "not_found"],
      ]);
      return { what: path.slice(0, 60), codes: [code], send: () => request("GET", path, {}) };
    },
    function badAction() {
      const [path, body, code] = pick<[string, unknown, ErrorCode]>([
        ["/api/hunts/hunt1/explode", {}, "not_found"],
        [`/api/hunts/hunt1/${pick(INHERITED)}`, {}, "not_found"],
        ["/api/hunts/none/start", {}, "not_found"],
        ["/api/hunts/none/start", { now: true }, "invalid_payload"],
        ["/api/hunts/none/extend", { ms: pick(JUNK) }, "invalid_payload"],
      ]);
      return { what: `${path} ${JSON.stringify(body)}`, codes: [code], send: () => post(path, body, operator) };
    },
    function badKey() {
      const headers = { ...operator, "idempotency-key": pick(["two words", "x".repeat(65), "\u00fc"]) };
      return { what: "Idempotency-Key", codes: ["invalid_payload"], send: () => post("/api/hunts", aHunt(), headers) };
    },
    function badJoin() {
      const [path, body, code] = pick<[string, unknown, ErrorCode]>([
        [`/matchmake/joinOrCreate/${pick(INHERITED)}`, {}, "not_found"],
        [`/matchmake/${pick(INHERITED)}/echo`, {}, "not_found"],
        ["/matchmake/joinById/nowhere", {}, "not_found"],
        ["/matchmake/reconnect/nowhere", { reconnectionToken: pick(JUNK) }, "invalid_payload"],
        ["/matchmake/reconnect/nowhere", { reconnectionToken: "forged" }, "not_found"],
        ["/matchmake/joinOrCreate/e%2Fcho", {}, "not_found"],
      ]);
      // One piece of junk is a token as good as any other.
      const codes: ErrorCode[] = [code, ...(path.includes("reconnect") ? (["not_found"] as const) : [])];
      return { what: `${path} ${JSON.stringify(body)}`, codes, send: () => post(path, body) };
    },
    function noHttp() {
      const garbage = Buffer.concat([Buffer.from([0x80 + below(128)]), bytes(1 + below(500))]);
      return { what: garbage.toString("hex").slice(0, 40), codes: ["invalid_payload"], send: () => raw(garbage) };
    },
    function badHead() {
      const [head, code] = pick<[string, ErrorCode]>([
        ["GET / HTTP/1.1\r\nContent-Length: -5", "invalid_payload"],
        [
          "POST /auth/anonymous HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked",
          "invalid_payload",
        ],
        ["GET / HTTP/1.1\r\nHost: a\r\nBad Header: x", "invalid_payload"],
        [`GET /${"a".repeat(17_000)} HTTP/1.1\r\nHost: a`, "payload_too_large"],
        [`GET / HTTP/1.1\r\nHost: a\r\n${"X-A: b\r\n".repeat(3000)}`, "payload_too_large"],
        ["POST /matchmake/joinOrCreate/none HTTP/1.1\r\nHost: a b\r\nConnection: close", "not_found"],
      ]);
      return { what: head.slice(0, 60), codes: [code], send: () => raw(`${head}\r\n\r\n`) };
    },
    function hangUp() {
      const [path] = pick(posts());
      const send = () =>
        new Promise<undefined>((resolve) => {
          const socket = connect(edge.port, "127.0.0.1", () => {
            const head = `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 5000`;
            socket.write(`${head}\r\n\r\n{"name":`, () => socket.destroy());
          });
          // Its own reset may reach it first.
          socket.on("error", () => {});
          socket.on("close", () => resolve(undefined));
        });
      return { what: `hang up at ${path}`, codes: [], send };
    },
  ];

  /** Throws unless the request was answered with an error of ours, in its shape and with its status. */
  async function check({ what, codes, send }: Bad): Promise<void> {
    const answer = await send();
    if (answer === undefined) return;
    const told = `${what} → ${answer.status} ${answer.text.slice(0, 300)}`;
    let error: { code: ErrorCode; message: string } | undefined;
    try {
      ({ error } = JSON.parse(answer.text));
    } catch (cause) {
      throw new Error(`no JSON: ${told}`, { cause });
    }
    assert.ok(error !== undefined && codes.includes(error.code), told);
    assert.equal(answer.status, DOCUMENTED.get(error.code), told);
    assert.ok(typeof error.message === "string" && error.message !== "", told);
    assert.ok(answer.text.length < 10_000, told);
  }

  /** Somebody who plays on all the while; resolves with how often all went well. */
  async function playOn(isOver: () => boolean): Promise<number> {
    const client = new Client(edge.url);
    await client.auth.signInAnonymously();
    const room = await client.joinOrCreate("echo");
    let rounds = 0;
    for (; !isOver(); rounds++) {
      assert.equal(await room.request("echo", `round ${rounds}`), `round ${rounds}`);
      assert.equal((await edge.get("/api/hunts")).status, 200);
      assert.equal((await edge.post("/auth/anonymous", { name: "Ada" })).status, 200);
      assert.equal((await edge.get("/healthz")).status, 200);
    }
    assert.equal(room.connection.isOpen, true);
    await room.leave();
    return rounds;
  }

  it(`of every kind, ${REQUESTS} times, gets a typed error and disturbs nobody`, async () => {
    let sent = 0;
    let isOver = false;
    const playing = playOn(() => isOver);
    const sender = async (): Promise<void> => {
      while (sent < REQUESTS) await check(storms[sent++ % storms.length]!());
    };
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, sender));
    } finally {
      isOver = true;
    }
    assert.ok((await playing) > 0);
    assert.equal(edge.hunts.hunts.size, 0, "nothing came of it");
    assert.deepEqual(edge.logged, [], "nothing of it was our own fault");
  });
});
