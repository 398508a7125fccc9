import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readlinkSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { systemClock } from "../../src/clock.ts";
import { KeepOut } from "../../src/edge/KeepOut.ts";
import { FrontDoor } from "../../src/http/FrontDoor.ts";
import { MetricsPage } from "../../src/http/health.ts";
import { RequestLimits } from "../../src/http/limits.ts";
import { MOST_WAITING } from "../../src/http/OneAtATime.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { bearer, Edge, sendRaw } from "../http/edge.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import type { RingmasterNode } from "../support/RingmasterNode.ts";
import { closed, dial, victim } from "./attacks.ts";

const HEAD = (path: string, more = ""): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`;

/** An edge whose page has a file of so many bytes. */
async function pageOf(bytes: number): Promise<Edge> {
  const edge = await Edge.open();
  mkdirSync(join(edge.services.pageFolder, "assets"));
  writeFileSync(join(edge.services.pageFolder, "assets", "film.bin"), Buffer.alloc(bytes));
  return edge;
}

/** Where the links of a folder lead, as far as they are there still. */
function linksOf(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    try {
      return [readlinkSync(join(folder, name))];
    } catch {
      return [];
    }
  });
}

describe("One client over HTTP", function () {
  this.timeout(2 * DEADLINE_MS);
  let node: RingmasterNode;
  let end: () => Promise<void>;

  before(async () => {
    ({ node, end } = await victim());
  });
  after(() => end());

  it("has one request of a connection handled at a time, in order", async () => {
    const asked: string[] = [];
    let atOnce = 0;
    const edge = await Edge.open({
      me: {
        inventory: async (playerId: string) => {
          asked.push(playerId);
          assert.equal(++atOnce, 1);
          await new Promise((resolve) => setImmediate(resolve));
          atOnce--;
          return [];
        },
      },
    });
    const players = ["ada", "bob", "cyd"];
    const tokens = await Promise.all(players.map((id) => edge.token("player", id)));
    const heads = tokens.map((token, at) =>
      HEAD("/api/me/inventory", `Authorization: Bearer ${token}\r\n${at === 2 ? "Connection: close\r\n" : ""}`),
    );
    const answers = await sendRaw(edge, heads.join(""));
    assert.deepEqual(asked, players);
    assert.equal(answers.match(/HTTP\/1\.1 200 /g)?.length, 3);
    await edge.close();
  });

  it("loses a connection on which it asks for a thousand things at once", async () => {
    const socket = await dial(node.port);
    const answers = buffer(socket);
    socket.write(HEAD("/readyz").repeat(1000));
    const answered = (await answers).toString().match(/HTTP\/1\.1 200 /g)?.length ?? 0;
    assert.ok(answered <= 1 + MOST_WAITING, `${answered} are answered`);
  });

  it("costs no more requests than its connection may have, however many it has sent ahead", async () => {
    const edge = await Edge.open();
    let parsed = 0;
    const { emit } = edge.door;
    edge.door.emit = function (event: string | symbol, ...args: unknown[]) {
      if (event === "request") parsed += 1;
      return emit.call(this, event, ...args);
    };
    const socket = await dial(edge.port);
    socket.write(HEAD("/readyz").repeat(1000));
    await closed(socket);
    assert.equal(parsed, 1 + MOST_WAITING + 1);
    await edge.close();
  });

  it("that sends too much ahead once loses that connection alone", async () => {
    const edge = await Edge.open();
    const flooding = await dial(edge.port);
    flooding.write(HEAD("/readyz").repeat(1000));
    await closed(flooding);
    assert.equal((await edge.get("/api/hunts")).status, 200);
    await edge.close();
  });

  it("sends nothing ahead any more once its address is kept out for doing it again and again, and still learns how the node is", async () => {
    const keepOut = new KeepOut(systemClock);
    const limits = new RequestLimits({ perAddress: 1_000_000, keepOut });
    const edge = await Edge.open({ limits, keepOut });
    for (let again = 0; again < 6; again += 1) {
      const flooding = await dial(edge.port);
      flooding.write(HEAD("/readyz").repeat(1000));
      await closed(flooding);
    }
    for (const path of ["/api/hunts", "/metrics"]) assert.equal((await edge.get(path)).status, 429, path);
    for (const path of ["/healthz", "/readyz"]) assert.notEqual((await edge.get(path)).status, 429, path);
    let parsed = 0;
    const { emit } = edge.door;
    edge.door.emit = function (event: string | symbol, ...args: unknown[]) {
      if (event === "request") parsed += 1;
      return emit.call(this, event, ...args);
    };
    const socket = await dial(edge.port);
    socket.write(HEAD("/readyz").repeat(1000));
    await closed(socket);
    assert.equal(parsed, 2, "one, and the one behind it that ends the connection");
    await edge.close();
  });

  it("leaves no file open that it asked for and did not read", async () => {
    const edge = await pageOf(100_000);
    const openFiles = (): number => linksOf("/proc/self/fd").filter((path) => path.endsWith("film.bin")).length;
    const sockets = await Promise.all(Array.from({ length: 4 }, () => dial(edge.port)));
    for (const socket of sockets) socket.pause().write(HEAD("/assets/film.bin").repeat(MOST_WAITING));
    await until(() => openFiles() > 0, { timeoutMs: DEADLINE_MS, what: "a file is read" });
    assert.ok(openFiles() <= 4, "no more than one a connection");
    for (const socket of sockets) socket.destroy();
    await until(() => openFiles() === 0, { timeoutMs: DEADLINE_MS, what: "the files are closed" });
    await edge.close();
  });

  it("loses a connection whose answer it does not read, with the file that the answer is", async () => {
    const edge = await pageOf(30_000_000);
    const socket = await dial(edge.port);
    socket.pause().write(HEAD("/assets/film.bin"));
    const left = () => new Promise<number>((resolve) => edge.door.getConnections((_error, count) => resolve(count)));
    await until(async () => (await left()) === 0, { timeoutMs: DEADLINE_MS, what: "the connection is closed" });
    socket.destroy();
    await edge.close();
  });

  it("loses a connection whose head does not come", async () => {
    const [silent, slow] = [await dial(node.port), await dial(node.port)];
    slow.write("GET / HTTP/1.1\r\nHost: a\r\n");
    const drip = setInterval(() => slow.write("X-More: 1\r\n"), 1000);
    await Promise.all([closed(silent), closed(slow)]);
    clearInterval(drip);
  });

  it("may open many connections, and loses what is too many before anything is made of them", async () => {
    const door = new FrontDoor((_request, response) => response.end("in"), { trustProxy: false, perAddress: 10 });
    await new Promise<void>((resolve) => door.listen(0, "127.0.0.1", resolve));
    const { port } = door.address() as AddressInfo;
    const sockets = await Promise.all(Array.from({ length: 40 }, () => dial(port)));
    for (const socket of sockets) socket.resume();
    await until(() => sockets.filter((socket) => socket.closed).length >= 15, {
      what: "those beyond twenty and two a second are closed",
      timeoutMs: 5000,
    });
    const answered = sockets.filter((socket) => !socket.closed);
    const answers = answered.map((socket) => {
      socket.write(HEAD("/healthz", "Connection: close\r\n"));
      return buffer(socket);
    });
    for (const answer of await Promise.all(answers)) assert.match(answer.toString(), /^HTTP\/1\.1 200 /);
    await new Promise((resolve) => door.close(resolve));
  });

  it("is told no more why its websockets are refused when it comes again and again", async () => {
    const hasSeat = (): boolean => false;
    const door = new FrontDoor((_request, response) => response.end("in"), {
      trustProxy: false,
      perAddress: 100,
      hasSeat,
    });
    door.on("upgrade", (_request, socket) => socket.end("HTTP/1.1 101 in\r\n\r\n"));
    await new Promise<void>((resolve) => door.listen(0, "127.0.0.1", resolve));
    const { port } = door.address() as AddressInfo;
    const answers: string[] = [];
    const ask = "GET /p/r?sessionId=x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    while (answers.length < 100 && answers.at(-1) !== "") {
      const socket = await dial(port);
      socket.write(ask);
      answers.push((await buffer(socket).catch(() => Buffer.alloc(0))).toString().slice(0, 12));
    }
    const countOf = (status: number): number => answers.filter((answer) => answer.endsWith(` ${status}`)).length;
    // One more of the ones and five of the others each second.
    assert.ok(countOf(101) >= 10 && countOf(101) < 20, `${countOf(101)} are let in`);
    assert.ok(countOf(429) >= 50 && countOf(429) < 85, `${countOf(429)} are refused in words`);
    assert.equal(answers.at(-1), "");
    await new Promise((resolve) => door.close(resolve));
  });

  it("keeps no other waiting for a connection, though a thousand of its own wait while the node stands still", async () => {
    process.kill(node.program.pid, "SIGSTOP");
    try {
      const sockets = await Promise.all(Array.from({ length: 1000 }, () => dial(node.port)));
      for (const socket of sockets) socket.destroy();
    } finally {
      process.kill(node.program.pid, "SIGCONT");
    }
    assert.equal((await node.get("/healthz")).status, 200);
  });

  it("is answered 400 to a websocket whose address is none, and ends no process", async () => {
    for (const target of ["*:99999/", "*", "http://a:99999/", "a/b?_authToken=secret"]) {
      const socket = await dial(node.port);
      socket.write(
        `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
      );
      const answer = (await buffer(socket)).toString();
      assert.match(answer, /^HTTP\/1\.1 400 /, target);
      assert.match(answer, /"invalid_payload"/);
    }
    assert.equal(node.program.exit, undefined);
    assert.ok(!node.output.join("\n").includes("secret"));
  });

  it("is refused what is nested deeper than anything documented", async () => {
    const { token } = await node.signIn();
    for (const [open, close] of [
      ["[", "]"],
      ['{"a":', "}"],
    ] as const) {
      const options = `{"deep":${open.repeat(8000)}1${close.repeat(8000)}}`;
      const answer = await fetch(`${node.url}/matchmake/joinOrCreate/lobby`, {
        method: "POST",
        headers: { "content-type": "application/json", ...bearer(token) },
        body: options,
      });
      const { error } = (await answer.json()) as { error: { code: string; message: string } };
      assert.deepEqual([answer.status, error.code], [400, "invalid_payload"]);
      assert.match(error.message, /32/);
    }
  });

  it("counts for the player's page as for all else", async () => {
    const strict = await victim({ RATE_LIMIT_PER_ADDRESS: "5" });
    const statuses: number[] = [];
    for (let i = 0; i < 6; i++) {
      const answer = await fetch(`${strict.node.url}/`);
      await answer.arrayBuffer();
      statuses.push(answer.status);
    }
    assert.equal(statuses[5], 429);
    assert.ok(!statuses.slice(0, 5).includes(429));
    assert.equal((await strict.node.get("/healthz")).status, 200);
    await strict.end();
  });
});

describe("The metrics", function () {
  this.timeout(2 * DEADLINE_MS);

  it("are written out at most once a second, however many ask", async () => {
    let now = 0;
    let rendered = 0;
    const { registry } = new Metrics(() => ({ rooms: ++rendered, clients: 0 }));
    const page = new MetricsPage(registry, { ...systemClock, monotonic: () => now });
    const pages = await Promise.all(Array.from({ length: 50 }, () => page.read()));
    const onePage = rendered;
    now += 999;
    assert.deepEqual([new Set([...pages, await page.read()]).size, rendered], [1, onePage]);
    now += 1;
    await page.read();
    assert.equal(rendered, 2 * onePage);
  });

  it("are for whoever has the token, where one is set", async () => {
    const edge = await Edge.open({ metricsToken: "a token of sixteen" });
    for (const headers of [{}, bearer("another token"), bearer(await edge.token("operator"))]) {
      const { status, error } = await edge.get("/metrics", headers);
      assert.deepEqual([status, error?.code], [401, "unauthenticated"]);
    }
    assert.equal((await edge.get("/metrics", bearer("a token of sixteen"))).status, 200);
    assert.equal((await edge.get("/healthz")).status, 200);
    await edge.close();
  });

  it("are on a port of their own and nowhere else, where one is set", async () => {
    const { node, end } = await victim({ METRICS_PORT: "0" });
    const port = await until(() => node.output.map(metricsPort).find(Boolean), {
      timeoutMs: DEADLINE_MS,
      what: "the port is logged",
    });
    const statusOf = async (at: number | string, path: string): Promise<number> =>
      (await fetch(`http://127.0.0.1:${at}${path}`)).status;
    assert.equal(await statusOf(node.port, "/metrics"), 404);
    assert.equal(await statusOf(port, "/metrics"), 200);
    for (const at of [node.port, port]) assert.equal(await statusOf(at, "/healthz"), 200);
    assert.equal(await statusOf(port, "/api/hunts"), 404);
    await end();
  });
});

function metricsPort(line: string): number | undefined {
  return line.includes("metrics are on a port of their own") ? (JSON.parse(line) as { port: number }).port : undefined;
}
