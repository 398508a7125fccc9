import assert from "node:assert/strict";
import { type AddressInfo, connect, createServer } from "node:net";
import type { Redis } from "ioredis";
import { ConfigError } from "../../src/config.ts";
import { checkEvictionPolicy, connectRedis, retryDelay, whenReady } from "../../src/stores/runtime/redis.ts";
import { createLogger } from "../../src/telemetry/log.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { type RedisServer, startRedis } from "../support/servers.ts";

describe("the Redis client", () => {
  let server: RedisServer;
  let client: Redis;
  let lines: string[];

  const logger = () => createLogger("info", { write: (line: string) => lines.push(line) });

  beforeEach(async () => {
    lines = [];
    server = await startRedis();
    client = connectRedis(server.url, "test", logger());
    await whenReady(client);
  });

  afterEach(async () => {
    client.disconnect();
    await server.stop();
  });

  it("carries its purpose as its name", async () => {
    assert.equal(await client.client("GETNAME"), "ringmaster:test");
  });

  it("fails what is in flight and what comes after at once when the server dies, and is back by itself", async () => {
    const blocked = client.blpop("never", 0);
    await server.kill();
    await assert.rejects(blocked);
    await assert.rejects(client.get("x"));
    await server.restart();
    await whenReady(client, 5000);
    assert.equal(await client.set("x", "1"), "OK");
    assert.ok(lines.some((line) => line.includes("out of reach")));
    assert.ok(lines.some((line) => line.includes("is back")));
  });

  it("stays connected after it broke off with commands in flight", async () => {
    // ioredis would destroy the new socket when the old one's deadline passes
    const internals = client as unknown as { socketTimeoutTimer: unknown };
    const lost = client.blpop("never", 0).catch(() => "lost");
    assert.notEqual(internals.socketTimeoutTimer, undefined);
    await server.kill();
    assert.equal(await lost, "lost");
    assert.equal(internals.socketTimeoutTimer, undefined);
  });

  it("comes back, as a subscriber too, when the server dies in the middle of its greeting", async () => {
    let cut = 5;
    const gate = createServer((socket) => {
      socket.on("error", () => {});
      if (cut > 0) {
        cut -= 1;
        socket.once("data", () => socket.destroy());
        return;
      }
      const onward = connect(server.port, "127.0.0.1").on("error", () => {});
      socket.pipe(onward).pipe(socket);
    });
    await new Promise<void>((resolve) => gate.listen(0, "127.0.0.1", resolve));
    const url = `redis://127.0.0.1:${(gate.address() as AddressInfo).port}`;
    const commands = connectRedis(url, "gate");
    const subscriber = commands.duplicate({ enableReadyCheck: false });
    subscriber.on("error", () => {});
    await until(() => subscriber.subscribe("topic"), { what: "the subscriber is back", timeoutMs: DEADLINE_MS });
    assert.equal(cut, 0);
    commands.disconnect();
    subscriber.disconnect();
    gate.close();
  });

  it("tries again quickly, at most half a second later", () => {
    for (let attempt = 1; attempt < 1000; attempt += 1) {
      const delay = retryDelay(attempt);
      assert.ok(delay > 0 && delay <= 500, `attempt ${attempt}: ${delay} ms`);
    }
  });

  it("tells that the server is out of reach without its password", async () => {
    await client.config("SET", "requirepass", "right-password");
    for (const url of [server.url.replace("//", "//:wrong-password@"), "redis://:wrong-password@127.0.0.1:1"]) {
      const stranger = connectRedis(url, "stranger", logger());
      await assert.rejects(whenReady(stranger, 300), (error) => {
        assert.ok(error instanceof ConfigError);
        assert.match(error.message, /^REDIS_URL: /);
        assert.doesNotMatch(error.message, /password@|wrong-password/);
        return true;
      });
      stranger.disconnect();
    }
    assert.ok(lines.length > 0);
    assert.doesNotMatch(lines.join(), /wrong-password/);
  });

  describe("the eviction policy", () => {
    /** Connects as a user who may do everything but `forbidden`. */
    async function restricted(...forbidden: string[]): Promise<Redis> {
      await client.call("ACL", "SETUSER", "app", "on", ">pw", "~*", "&*", "+@all", ...forbidden);
      const user = connectRedis(server.url.replace("//", "//app:pw@"), "restricted");
      await whenReady(user);
      return user;
    }

    it("may be noeviction", async () => {
      await checkEvictionPolicy(client, true, logger());
      assert.deepEqual(lines, []);
    });

    it("stops production when it is another, and warns development", async () => {
      await client.config("SET", "maxmemory-policy", "allkeys-lru");
      await assert.rejects(checkEvictionPolicy(client, true, logger()), ConfigError);
      await checkEvictionPolicy(client, false, logger());
      assert.match(lines[0] ?? "", /"warn".*allkeys-lru/);
    });

    it("is also learnt from a server that forbids CONFIG", async () => {
      const user = await restricted("-config");
      await checkEvictionPolicy(user, true, logger());
      assert.deepEqual(lines, []);
      await client.config("SET", "maxmemory-policy", "volatile-ttl");
      await assert.rejects(checkEvictionPolicy(user, true, logger()), /volatile-ttl/);
      user.disconnect();
    });

    it("is warned about when the server tells it nowhere", async () => {
      await client.call("ACL", "SETUSER", "app", "on", ">pw", "~*", "&*", "+@all");
      const user = await restricted();
      await client.call("ACL", "SETUSER", "app", "-config", "-info");
      await checkEvictionPolicy(user, true, logger());
      assert.match(lines[0] ?? "", /"warn".*noeviction/);
      user.disconnect();
    });
  });
});
