import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { Readiness } from "../../src/http/readiness.ts";
import { until } from "../support/processes.ts";
import { type Answer, bearer, Edge, sendRaw } from "./edge.ts";

function refusal(answer: Answer): [number, string | undefined] {
  return [answer.status, answer.error?.code];
}

describe("The HTTP server", () => {
  let edge: Edge;
  before(async () => {
    edge = await Edge.open();
  });
  after(() => edge.close());

  it("answers whether it lives, and what it measures", async () => {
    assert.equal((await edge.get("/healthz")).status, 200);
    const metrics = await edge.get("/metrics");
    assert.match(metrics.headers.get("content-type")!, /^text\/plain; version=0\.0\.4/);
    assert.match(metrics.text, /^nodejs_eventloop_lag_seconds /m);
  });

  it("answers what it does not know with a typed error, whatever the method", async () => {
    for (const path of [
      "/nothing",
      "/console",
      "/api",
      "/api/nothing",
      "/auth/magic",
      "/matchmake",
      "/matchmake/join",
    ]) {
      assert.deepEqual(refusal(await edge.get(path)), [404, "not_found"], path);
    }
    for (const method of ["PUT", "PATCH", "DELETE", "PROPFIND"]) {
      const response = await fetch(`${edge.url}/api/hunts`, { method });
      assert.equal(response.status, 404);
      assert.equal(((await response.json()) as { error: { code: string } }).error.code, "not_found");
    }
  });

  it("answers in its own protocol who offers another one", async () => {
    const offer = "Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n";
    for (const [head, status] of [
      ["GET /healthz", 200],
      ["GET /api/nothing", 404],
    ] as const) {
      const answer = await sendRaw(edge, `${head} HTTP/1.1\r\nHost: a\r\n${offer}\r\n`);
      assert.match(answer, new RegExp(`^HTTP/1.1 ${status} [\\s\\S]*application/json`), head);
    }
  });

  it("has no playground in production", async () => {
    const production = await Edge.open({ production: true });
    assert.deepEqual(refusal(await production.get("/playground/")), [404, "not_found"]);
    await production.close();
  });

  it("takes bodies of JSON only, of up to 64 kB", async () => {
    const json = { "content-type": "application/json" };
    const name = (length: number) => JSON.stringify({ name: "x".repeat(length) });
    const send = (body: BodyInit, headers: Record<string, string>) =>
      fetch(`${edge.url}/auth/anonymous`, { method: "POST", body, headers });
    const cases: [BodyInit, Record<string, string>, number, string][] = [
      ["{", json, 400, "invalid_payload"],
      ["\u0000", json, 400, "invalid_payload"],
      ["[]", json, 400, "invalid_payload"],
      ["5", json, 400, "invalid_payload"],
      ['{"name":"a","__proto__":{"role":"operator"}}', json, 400, "invalid_payload"],
      ["name=Ada", { "content-type": "application/x-www-form-urlencoded" }, 400, "invalid_payload"],
      [name(1), { "content-type": "text/plain" }, 400, "invalid_payload"],
      [name(1), { "content-type": "application/json; charset=latin1" }, 400, "invalid_payload"],
      [name(1), { ...json, "content-encoding": "gzip" }, 400, "invalid_payload"],
      [name(1), { ...json, "content-encoding": "br" }, 400, "invalid_payload"],
      [name(64 * 1024 - 100), json, 400, "invalid_payload"],
      [name(64 * 1024), json, 413, "payload_too_large"],
      [name(5_000_000), json, 413, "payload_too_large"],
    ];
    for (const [body, headers, status, code] of cases) {
      const response = await send(body, headers);
      const answer = (await response.json()) as { error: { code: string } };
      assert.deepEqual([response.status, answer.error.code], [status, code], String(body).slice(0, 60));
    }
  });

  it("takes no endless body either, when its length is not told", async () => {
    const endless = new ReadableStream({
      start(controller) {
        for (let chunk = 0; chunk < 100; chunk++) controller.enqueue(new Uint8Array(4096).fill(0x20));
        controller.close();
      },
    });
    const headers = { "content-type": "application/json" };
    const init = { method: "POST", body: endless, headers, duplex: "half" } as const;
    const response = await fetch(`${edge.url}/auth/anonymous`, init);
    assert.equal(response.status, 413);
  });

  it("answers what is no HTTP, and heads that are too long, in the same shape", async () => {
    const cases: [string, number, string][] = [
      ["\u0000\u0001\u0002 garbage\r\n\r\n", 400, "invalid_payload"],
      ["GET / HTTP/9.9\r\n\r\n", 400, "invalid_payload"],
      ["GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400, "invalid_payload"],
      [`GET /${"a".repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 413, "payload_too_large"],
      ["GET /api/hunts/%E0%A4%A HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 400, "invalid_payload"],
    ];
    for (const [bytes, status, code] of cases) {
      const answer = await sendRaw(edge, bytes);
      assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `), bytes.slice(0, 40));
      const { error } = JSON.parse(answer.slice(answer.indexOf("\r\n\r\n")));
      assert.equal(error.code, code);
      // What was too large is said: it was no body.
      if (status === 413) assert.match(error.message, /head/);
    }
    assert.equal((await edge.get("/healthz")).status, 200);
  });

  it("lets go of a sender of garbage who does not let go", async () => {
    const other = await Edge.open();
    const socket = connect({ port: other.port, host: "127.0.0.1", allowHalfOpen: true });
    socket.on("error", () => {});
    socket.resume();
    socket.write("garbage\r\n\r\n");
    await new Promise((resolve) => socket.once("end", resolve));
    // The only connection that there is.
    const left = () => new Promise<number>((resolve) => other.door.getConnections((_error, count) => resolve(count)));
    await until(async () => (await left()) === 0, { timeoutMs: 10_000, what: "the server closes the connection" });
    socket.destroy();
    await other.close();
  });

  it("tells browsers what they may do with its answers", async () => {
    for (const path of ["/", "/nothing", "/api/hunts", "/healthz"]) {
      const { headers } = await edge.get(path);
      assert.match(headers.get("content-security-policy")!, /default-src 'self'; connect-src 'self' ws: wss:/);
      assert.equal(headers.get("x-content-type-options"), "nosniff");
      assert.equal(headers.get("x-frame-options"), "DENY");
      assert.equal(headers.get("x-powered-by"), null);
    }
  });

  it("lets a page from anywhere use the API, and nothing else", async () => {
    const origin = "https://game.example";
    for (const path of ["/api/hunts", "/auth/anonymous", "/matchmake/join/none"]) {
      const preflight = await fetch(`${edge.url}${path}`, { method: "OPTIONS", headers: { origin } });
      assert.equal(preflight.status, 204);
      assert.equal(preflight.headers.get("access-control-allow-origin"), origin);
      assert.match(preflight.headers.get("access-control-allow-headers")!, /Authorization.*Idempotency-Key/);
      assert.equal((await edge.get(path, { origin })).headers.get("access-control-allow-origin"), origin);
    }
    for (const path of ["/monitor/api", "/metrics", "/", "/nothing"]) {
      const { headers } = await edge.get(path, { origin });
      assert.equal(headers.get("access-control-allow-origin"), null, path);
      assert.equal(headers.get("access-control-allow-credentials"), null, path);
    }
  });

  it("names each request, as its proxy did when that is harmless", async () => {
    assert.match((await edge.get("/healthz")).headers.get("x-request-id")!, /^[0-9A-Za-z]{16}$/);
    const given = await edge.get("/healthz", { "x-request-id": "proxy-7" });
    assert.equal(given.headers.get("x-request-id"), "proxy-7");
    const harmful = await edge.get("/healthz", { "x-request-id": "a\tb" });
    assert.match(harmful.headers.get("x-request-id")!, /^[0-9A-Za-z]{16}$/);
  });

  it("logs what is its own fault, under the request's id and without what was sent", async () => {
    const readiness = new Readiness([]);
    const failing = await Edge.open({ readiness, players: { create: () => Promise.reject(new Error("disk full")) } });
    try {
      await failing.post("/auth/anonymous", { name: "hunter2" }, { "x-request-id": "r-1" });
      await failing.post("/auth/anonymous", "{ hunter2");
      const entries = failing.logged.map((line) => JSON.parse(line) as Record<string, unknown>);
      assert.equal(entries.length, 1);
      assert.equal(entries[0]!.requestId, "r-1");
      assert.doesNotMatch(failing.logged.join(""), /hunter2/);
    } finally {
      await failing.close();
    }
  });
});

describe("A node's readiness", () => {
  it("waits for every part, and says which one is missing", async () => {
    const readiness = new Readiness(["database", "redis"]);
    const edge = await Edge.open({ readiness });
    try {
      const starting = await edge.get("/readyz");
      assert.equal(starting.status, 503);
      assert.deepEqual(starting.body, { ready: false, parts: { database: "starting", redis: "starting" } });
      readiness.up("database");
      readiness.up("redis");
      const ready = await edge.get("/readyz");
      assert.equal(ready.status, 200);
      assert.deepEqual(ready.body, { ready: true, parts: { database: "ready", redis: "ready" } });
      readiness.down("redis", "out of reach");
      assert.deepEqual((await edge.get("/readyz")).body.parts, { database: "ready", redis: "out of reach" });
    } finally {
      await edge.close();
    }
  });

  it("ends with the first moment of a drain, and new work with it; reading goes on", async () => {
    const readiness = new Readiness(["database"]);
    const edge = await Edge.open({ readiness });
    try {
      readiness.up("database");
      readiness.drain();
      const { status, body } = await edge.get("/readyz");
      assert.equal(status, 503);
      assert.deepEqual(body, { ready: false, parts: { database: "ready", node: "draining" } });
      const operator = bearer(await edge.token("operator"));
      for (const path of ["/auth/anonymous", "/api/hunts", "/api/hunts/h1/start", "/matchmake/joinOrCreate/hunt"]) {
        assert.deepEqual(refusal(await edge.post(path, {}, operator)), [503, "draining"], path);
      }
      const read = await edge.get("/api/hunts");
      assert.equal(read.status, 200);
      assert.equal(read.headers.get("connection"), "close");
      assert.equal((await edge.get("/healthz")).status, 200);
    } finally {
      await edge.close();
    }
  });
});

describe("The player page", () => {
  let edge: Edge;
  before(async () => {
    edge = await Edge.open();
  });
  after(() => edge.close());

  it("says how to build it while it is not built, and is served once it is", async () => {
    const before = await edge.get("/");
    assert.equal(before.status, 503);
    assert.match(before.text, /npx vite build web/);

    const folder = edge.services.pageFolder;
    mkdirSync(join(folder, "assets"));
    writeFileSync(join(folder, "index.html"), "<title>Ringmaster</title>");
    writeFileSync(join(folder, "assets", "index-abc123.js"), "export {};");
    writeFileSync(join(folder, ".env"), "SECRET=1");

    const page = await edge.get("/");
    assert.equal(page.status, 200);
    assert.match(page.text, /Ringmaster/);
    assert.equal(page.headers.get("cache-control"), "no-cache");
    const asset = await edge.get("/assets/index-abc123.js");
    assert.equal(asset.status, 200);
    assert.match(asset.headers.get("cache-control")!, /immutable/);
  });

  it("serves nothing else, inside its folder or out of it", async () => {
    const paths = [
      "/.env",
      "/assets/none.js",
      "/assets/..%2f.env",
      "/..%2f..%2fetc%2fpasswd",
      "/%2e%2e/etc/passwd",
      "/%00",
    ];
    for (const path of paths) {
      const { status, error } = await edge.get(path);
      assert.ok(status === 404 || status === 400, `${path}: ${status}`);
      assert.ok(error !== undefined, path);
    }
  });
});
