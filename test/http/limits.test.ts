import assert from "node:assert/strict";
import type { Redis } from "ioredis";
import { clientAddress, networksOf } from "../../src/edge/addresses.ts";
import { REQUESTS_PER_PLAYER, RequestLimits } from "../../src/http/limits.ts";
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
    await withEdge({ limits: new RequestLimits({ perAddress: 3 }) }, async (edge) => {
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

  it("say that it is the address whose share is used up, and tell the operator once, however many are refused", async () => {
    const told: object[] = [];
    const log = { warn: (fields: object) => void told.push(fields) };
    await withEdge({ limits: new RequestLimits({ perAddress: 1, log }) }, async (edge) => {
      await inTurn(5, () => edge.get("/api/hunts"));
      const { error } = await edge.get("/api/hunts");
      assert.match(error!.message, /from this network/);
      assert.deepEqual(told, [{ refused: 1 }]);
    });
  });

  it("leave probes alone", async () => {
    await withEdge({ limits: new RequestLimits({ perAddress: 1 }) }, async (edge) => {
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
    await withEdge({ limits: new RequestLimits({ perAddress: 1 }) }, async (edge) => {
      assert.equal((await edge.get("/api/hunts", from("10.0.0.1"))).status, 200);
      assert.equal((await edge.get("/api/hunts", from("10.0.0.2"))).status, 429);
    });
    await withEdge(
      { limits: new RequestLimits({ perAddress: 1, trustProxy: true }), trustProxy: true },
      async (edge) => {
        assert.equal((await edge.get("/api/hunts", from("10.0.0.1"))).status, 200);
        assert.equal((await edge.get("/api/hunts", from("10.0.0.2"))).status, 200);
        assert.equal((await edge.get("/api/hunts", from("10.9.9.9, 10.0.0.2"))).status, 429);
      },
    );
  });

  it("count IPv4 in any writing as itself, and IPv6 by 64 bits, more loosely by 56 and 48", () => {
    const networks: [string, string[]][] = [
      ["192.0.2.7", ["192.0.2.7"]],
      ["::ffff:192.0.2.7", ["192.0.2.7"]],
      ["2001:db8:1:23f:3:4:5:6", ["2001:db8:1:23f/64", "2001:db8:1:200/56", "2001:db8:1/48"]],
      ["2001:0db8:0001:0002::1", ["2001:db8:1:2/64", "2001:db8:1:0/56", "2001:db8:1/48"]],
      ["2001:db8::1", ["2001:db8:0:0/64", "2001:db8:0:0/56", "2001:db8:0/48"]],
      ["::1", ["0:0:0:0/64", "0:0:0:0/56", "0:0:0/48"]],
      ["64:ff9b::192.0.2.7", ["64:ff9b:0:0/64", "64:ff9b:0:0/56", "64:ff9b:0/48"]],
      ["fe80::1%eth0", ["fe80:0:0:0/64", "fe80:0:0:0/56", "fe80:0:0/48"]],
      ["unknown", ["unknown"]],
    ];
    for (const [address, keys] of networks) {
      assert.deepEqual(
        networksOf(address).map(({ key }) => key),
        keys,
      );
    }
    assert.deepEqual(
      networksOf("2001:db8::1").map(({ shares }) => shares),
      [1, 4, 16],
    );
  });

  it("turn a network away whose hosts together send more than its shares", async () => {
    const from = (address: string) => ({ "x-forwarded-for": address });
    await withEdge(
      { limits: new RequestLimits({ perAddress: 1, trustProxy: true }), trustProxy: true },
      async (edge) => {
        const ask = async (address: string): Promise<number> => (await edge.get("/api/hunts", from(address))).status;
        for (let host = 0; host < 4; host++) assert.equal(await ask(`2001:db8:1:${host}::1`), 200);
        assert.equal(await ask("2001:db8:1:5::1"), 429);
        assert.equal(await ask("2001:db8:1:105::1"), 200);
      },
    );
  });

  it("know an address by itself, whatever port a proxy writes behind it", () => {
    const addressOf = (forwarded: string): string =>
      clientAddress(
        { headers: { "x-forwarded-for": forwarded }, socket: { remoteAddress: "10.0.0.1" } } as never,
        true,
      );
    const cases: [string, string][] = [
      ["1.2.3.4", "1.2.3.4"],
      ["1.2.3.4:50123", "1.2.3.4"],
      ["9.9.9.9, 1.2.3.4:50123", "1.2.3.4"],
      ["[2001:db8::1]:50123", "2001:db8::1"],
      ["[2001:db8::1]", "2001:db8::1"],
      ["2001:db8::1", "2001:db8::1"],
      ["", "10.0.0.1"],
      [":80", "10.0.0.1"],
    ];
    for (const [forwarded, address] of cases) assert.equal(addressOf(forwarded), address);
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
      await withEdge({ limits: new RequestLimits({ perAddress: 3, redis }) }, (left) =>
        withEdge({ limits: new RequestLimits({ perAddress: 3, redis }) }, async (right) => {
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
      await withEdge({ limits: new RequestLimits({ perAddress: 2, redis }) }, async (edge) => {
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
