import assert from "node:assert/strict";
import type { Redis } from "ioredis";
import { addressKey, REQUESTS_PER_PLAYER, RequestLimits } from "../../src/http/limits.ts";
import { connectRedis, whenReady } from "../../src/stores/runtime/redis.ts";
import { type RedisServer, startRedis } from "../support/servers.ts";
import { type Answer, bearer, Edge } from "./edge.ts";

async function inTurn(times: number, send: () => Promise<Answer>): Promise<number[]> {
  const statuses: number[] = [];
  for (let i = 0; i < times; i++) statuses.push((await send()).status);
  return statuses;
}

/** Opens an edge, runs `use` and closes it. */
async function withEdge(options: Parameters<typeof Edge.open>[0], use: (edge: Edge) => Promise<void>): Promise<void> {
  const edge = await Edge.open(options);
  try {
    await use(edge);
  } finally {
    await edge.close();
  }
}

describe("Rate limits", () => {
  it("turn an address away beyond its share, and tell it when to come back", async () => {
    await withEdge({ limits: new RequestLimits(3, undefined) }, async (edge) => {
      assert.deepEqual(await inTurn(5, () => edge.post("/auth/anonymous", {})), [200, 200, 200, 429, 429]);
      const { error, headers } = await edge.get("/api/hunts");
      assert.equal(error!.code, "rate_limited");
      const { retryAfterMs } = error!.details as { retryAfterMs: number };
      assert.ok(retryAfterMs > 0 && retryAfterMs <= 10_000);
      assert.equal(headers.get("retry-after"), String(Math.ceil(retryAfterMs / 1000)));
      assert.equal((await edge.post("/matchmake/joinOrCreate/none", {})).status, 429);
      assert.equal((await edge.get("/monitor/")).status, 429);
    });
  });

  it("leave probes and the page alone", async () => {
    await withEdge({ limits: new RequestLimits(1, undefined) }, async (edge) => {
      for (const path of ["/healthz", "/metrics"]) {
        assert.deepEqual(await inTurn(5, () => edge.get(path)), [200, 200, 200, 200, 200]);
      }
    });
  });

  it("turn a player away beyond theirs, and nobody else at the same address", async () => {
    await withEdge({}, async (edge) => {
      const [busy, calm] = [bearer(await edge.token("player", "busy")), bearer(await edge.token("player", "calm"))];
      const statuses = await inTurn(REQUESTS_PER_PLAYER + 1, () => edge.get("/api/hunts", busy));
      assert.equal(statuses.pop(), 429);
      assert.ok(statuses.every((status) => status === 200));
      assert.equal((await edge.get("/api/hunts", calm)).status, 200);
      assert.equal((await edge.get("/api/hunts")).status, 200);
    });
  });

  it("trust operators with more than players", async () => {
    await withEdge({}, async (edge) => {
      const operator = bearer(await edge.token("operator"));
      const statuses = await inTurn(REQUESTS_PER_PLAYER + 1, () => edge.get("/api/hunts", operator));
      assert.ok(statuses.every((status) => status === 200));
    });
  });

  it("believe X-Forwarded-For only behind a proxy, and then its last entry", async () => {
    const from = (address: string) => ({ "x-forwarded-for": address, "x-real-ip": address, "x-client-ip": address });
    await withEdge({ limits: new RequestLimits(1, undefined) }, async (edge) => {
      assert.equal((await edge.get("/api/hunts", from("10.0.0.1"))).status, 200);
      assert.equal((await edge.get("/api/hunts", from("10.0.0.2"))).status, 429);
    });
    await withEdge({ limits: new RequestLimits(1, undefined), trustProxy: true }, async (edge) => {
      assert.equal((await edge.get("/api/hunts", from("10.0.0.1"))).status, 200);
      assert.equal((await edge.get("/api/hunts", from("10.0.0.2"))).status, 200);
      assert.equal((await edge.get("/api/hunts", from("10.9.9.9, 10.0.0.2"))).status, 429);
    });
  });

  it("count an IPv6 network of 64 bits as one address, and IPv4 in any writing as itself", () => {
    const keys: [string | undefined, string][] = [
      ["192.0.2.7", "192.0.2.7"],
      ["::ffff:192.0.2.7", "192.0.2.7"],
      ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
      ["2001:0db8:0001:0002::1", "2001:db8:1:2"],
      ["2001:db8::1", "2001:db8:0:0"],
      ["::1", "0:0:0:0"],
      ["fe80::1%eth0", "fe80:0:0:0"],
      [undefined, "unknown"],
    ];
    for (const [address, key] of keys) assert.equal(addressKey(address), key);
  });

  describe("of a cluster", () => {
    let server: RedisServer;
    let redis: Redis;

    before(async function () {
      this.timeout(120_000);
      server = await startRedis();
      redis = connectRedis(server.url, "limits");
      await whenReady(redis);
    });
    after(async () => {
      redis.disconnect();
      await server.stop();
    });

    it("are counted for all nodes together", async () => {
      await withEdge({ limits: new RequestLimits(3, redis) }, (left) =>
        withEdge({ limits: new RequestLimits(3, redis) }, async (right) => {
          const statuses = [
            ...(await inTurn(2, () => left.get("/api/hunts"))),
            ...(await inTurn(2, () => right.get("/api/hunts"))),
          ];
          assert.deepEqual(statuses, [200, 200, 200, 429]);
        }),
      );
      await redis.flushall();
    });

    it("are counted by each node for itself while Redis is away, and together again once it is back", async () => {
      await withEdge({ limits: new RequestLimits(2, redis) }, async (edge) => {
        const away = new Promise((resolve) => redis.once("close", resolve));
        await server.kill();
        await away;
        assert.deepEqual(await inTurn(3, () => edge.get("/api/hunts")), [200, 200, 429]);
        await server.restart();
        await whenReady(redis);
        assert.deepEqual(await inTurn(3, () => edge.get("/api/hunts")), [200, 200, 429]);
        assert.equal((await redis.keys("ringmaster:limit:address:*")).length, 1);
      });
    });
  });
});
