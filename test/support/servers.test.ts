import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { Redis } from "ioredis";
import { createConnection } from "mysql2/promise";
import { isFree } from "../../scripts/processes/freePort.ts";
import { removeDirectory, temporaryDirectory } from "../../scripts/processes/guard.ts";
import { itMeanwhile } from "./meanwhile.ts";
import { DEADLINE_MS, startProcess, until } from "./processes.ts";
import {
  type DatabaseServer,
  freshDatabaseUrl,
  freshRedisUrl,
  type RedisServer,
  sharedDatabase,
  sharedRedis,
  startMariaDb,
  startRedis,
} from "./servers.ts";

async function withRedis<T>(url: string, use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  client.on("error", () => {});
  try {
    await client.connect();
    return await use(client);
  } finally {
    client.disconnect();
  }
}

async function query(url: string, sql: string): Promise<unknown> {
  const connection = await createConnection(url);
  try {
    const [rows] = await connection.query(sql);
    return rows;
  } finally {
    await connection.end();
  }
}

describe("a private Redis", () => {
  let redis: RedisServer;
  let keeper: RedisServer;

  before(async () => {
    [redis, keeper] = await Promise.all([startRedis(), startRedis({ keepData: true })]);
  });

  after(async () => {
    await Promise.all([redis.stop(), keeper.stop()]);
  });

  it("never evicts", async () => {
    const setting = await withRedis(redis.url, (client) => client.config("GET", "maxmemory-policy"));
    assert.deepEqual(setting, ["maxmemory-policy", "noeviction"]);
  });

  it("refuses connections once killed, and comes back empty on the same port", async () => {
    await withRedis(redis.url, (client) => client.set("key", "value"));
    await redis.kill();
    await assert.rejects(withRedis(redis.url, (client) => client.get("key")));
    await redis.restart();
    assert.equal(await withRedis(redis.url, (client) => client.get("key")), null);
  });

  it("comes back with its data when told to keep them", async () => {
    await withRedis(keeper.url, (client) => client.set("key", "value"));
    await keeper.kill();
    await keeper.restart();
    assert.equal(await withRedis(keeper.url, (client) => client.get("key")), "value");
  });
});

describe("a private MariaDB", () => {
  let server: DatabaseServer;

  before(async () => {
    server = await startMariaDb();
  });

  after(async () => {
    await server.stop();
  });

  it("writes every commit to the disk", async () => {
    assert.deepEqual(await query(server.url, "SELECT @@innodb_flush_log_at_trx_commit AS value"), [{ value: 1 }]);
  });

  it("makes databases that are empty and apart", async () => {
    const [one, other] = [await server.createDatabase(), await server.createDatabase()];
    await query(one, "CREATE TABLE things (id INT PRIMARY KEY)");
    assert.deepEqual(await query(other, "SHOW TABLES"), []);
  });

  it("has what was committed after a SIGKILL and after an orderly restart", async () => {
    const url = await server.createDatabase();
    await query(url, "CREATE TABLE things (id INT PRIMARY KEY)");
    await query(url, "INSERT INTO things VALUES (1)");
    await server.kill();
    await assert.rejects(query(url, "SELECT 1"));
    await server.restart();
    await query(url, "INSERT INTO things VALUES (2)");
    await server.restart();
    assert.deepEqual(await query(url, "SELECT id FROM things ORDER BY id"), [{ id: 1 }, { id: 2 }]);
  });
});

describe("the servers of a run", function () {
  this.timeout(120_000);

  it("are started once and shared", async () => {
    assert.equal(await sharedRedis(), await sharedRedis());
    assert.equal(await sharedDatabase(), await sharedDatabase());
  });

  it("give each caller an empty database and a Redis of its own", async () => {
    const urls = await Promise.all([freshDatabaseUrl(), freshDatabaseUrl(), freshRedisUrl(), freshRedisUrl()]);
    assert.equal(new Set(urls).size, urls.length);
    assert.deepEqual(await query(urls[0], "SHOW TABLES"), []);
    assert.equal(await withRedis(urls[2], (client) => client.dbsize()), 0);
  });

  for (const signal of ["SIGKILL", "SIGINT"] as const) {
    itMeanwhile(`are gone with their directories after ${signal} to the process that started them`, async () => {
      const directory = temporaryDirectory("servers-test");
      const starter = await startProcess("test/support/leaveServers.ts", { env: { TMPDIR: directory } });
      const ports = await starter.message("telling its ports", (message) => message as number[]);
      assert.deepEqual(await Promise.all(ports.map(isFree)), [false, false, false]);
      starter.signal(signal);
      await starter.exited;
      await until(async () => (await Promise.all(ports.map(isFree))).every(Boolean), {
        timeoutMs: DEADLINE_MS,
        what: `nobody listens on ${ports.join(", ")} any more`,
      });
      await until(() => readdirSync(directory).every((name) => name.startsWith("ringmaster-cache-")), {
        timeoutMs: DEADLINE_MS,
        what: "the directories of the servers are gone",
      });
      removeDirectory(directory);
    });
  }
});
