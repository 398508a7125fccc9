import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Edge, sendRaw } from "../http/edge.ts";
import { DEADLINE_MS } from "../support/processes.ts";

const GET = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
const UPGRADE =
  "GET /p/r?sessionId=x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";

/** The statuses of the answers in a stream, in their order. */
function statusesIn(answers: string): number[] {
  return [...answers.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}

describe("What is sent behind a request on its connection", function () {
  this.timeout(2 * DEADLINE_MS);
  let edge: Edge;

  beforeEach(async () => {
    edge = await Edge.open();
    mkdirSync(join(edge.services.pageFolder, "assets"));
    writeFileSync(join(edge.services.pageFolder, "assets", "film.bin"), Buffer.alloc(1_000_000, "x"));
  });
  afterEach(() => edge.close());

  it("is refused as a websocket once the answers that are owed have been given, and the connection ends", async () => {
    const answers = await sendRaw(edge, `${GET("/api/hunts")}${GET("/api/nothing")}${UPGRADE}`);
    assert.deepEqual(statusesIn(answers), [200, 404, 400]);
    assert.match(answers, /"message":"invalid_payload: Ask for a websocket once you have all answers."\}$/);
  });

  it("cuts no answer off, however long that is", async () => {
    for (const behind of [UPGRADE, "no HTTP at all\r\n\r\n"]) {
      const answers = await sendRaw(edge, `${GET("/assets/film.bin")}${behind}`);
      assert.deepEqual(statusesIn(answers), [200, 400], behind);
      assert.equal(answers.match(/x{1000}/g)?.length, 1000);
    }
  });

  it("is answered in its turn when it is no HTTP", async () => {
    const answers = await sendRaw(edge, `${GET("/api/hunts")}${GET("/api/nothing")}no HTTP at all\r\n\r\n`);
    assert.deepEqual(statusesIn(answers), [200, 404, 400]);
    assert.match(answers, /This is not a valid HTTP request/);
  });

  it("is answered at once when it was to be the rest of the request itself", async () => {
    const body =
      "POST /auth/anonymous HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (const before of ["", GET("/api/hunts")]) {
      const answers = await sendRaw(edge, `${before}${body}not a chunk\r\n`);
      assert.deepEqual(statusesIn(answers), before === "" ? [400] : [200, 400]);
    }
  });
});
