import assert from "node:assert/strict";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { RingmasterNode, tokenOf } from "../support/RingmasterNode.ts";
import { type DatabaseServer, freshRedisUrl, startMariaDb } from "../support/servers.ts";
import { muteSdk, Visitor } from "../support/Visitor.ts";
import { SilentProxy } from "./supportProxy.ts";

describe("a node whose way to MariaDB alone goes silent", function () {
  this.timeout(240_000);
  muteSdk();
  let server: DatabaseServer;
  let ways: SilentProxy[];
  let nodes: RingmasterNode[];

  before(async () => {
    server = await startMariaDb({ inMemory: true });
    const direct = new URL(await server.createDatabase());
    const redisUrl = await freshRedisUrl();
    ways = [];
    nodes = [];
    for (let at = 0; at < 2; at += 1) {
      const way = await SilentProxy.to(Number(direct.port));
      ways.push(way);
      const url = new URL(direct);
      url.port = String(way.port);
      nodes.push(await RingmasterNode.start({ DATABASE_URL: url.href, REDIS_URL: redisUrl }));
    }
  });

  after(async () => {
    await Promise.all((nodes ?? []).map((node) => node.kill()));
    for (const way of ways ?? []) way.close();
    await server.stop();
  });

  const readyStatus = async (node: RingmasterNode): Promise<number> => (await node.get("/readyz")).status;

  it("answers unavailable, sends its players away with 4001, and takes part again once it has a way", async () => {
    const [a, b] = nodes as [RingmasterNode, RingmasterNode];
    const operator = await tokenOf("operator");
    // Among nodes with as few rooms, the one that is asked has the new one.
    const visitor = new Visitor(await a.client((await a.signIn()).token).create("lobby"));
    ways[0]!.hold();
    await until(async () => (await readyStatus(a)) === 503, { what: "it is not ready", timeoutMs: DEADLINE_MS });
    const refused = async (): Promise<boolean> => {
      const { status, body } = await a.get("/api/jobs/status", { token: operator });
      return status === 503 && body.error?.message === "This node cannot reach the database; others may.";
    };
    await until(refused, { what: "it refuses at once", timeoutMs: DEADLINE_MS });
    await assert.rejects(visitor.request("viewPopup", { windowId: "w" }), { code: "unavailable" });
    assert.equal(await visitor.left, 4001);
    assert.equal(await readyStatus(b), 200);
    ways[0]!.release();
    await until(async () => (await readyStatus(a)) === 200, { what: "it is ready again", timeoutMs: DEADLINE_MS });
    const answers = async (): Promise<boolean> => (await a.get("/api/jobs/status", { token: operator })).status === 200;
    await until(answers, { what: "it answers again", timeoutMs: DEADLINE_MS });
  });
});
