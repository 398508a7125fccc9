import assert from "node:assert/strict";
import { join } from "node:path";
import { createConnection } from "mysql2/promise";
import { freePort, isFree } from "../../scripts/processes/freePort.ts";
import { removeDirectory, temporaryDirectory } from "../../scripts/processes/guard.ts";
import { systemClock } from "../../src/clock.ts";
import { Readiness } from "../../src/http/readiness.ts";
import { Lifecycle } from "../../src/lifecycle.ts";
import { silentLog } from "../actors/simulation.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { RingmasterNode } from "../support/RingmasterNode.ts";
import { freshDatabaseUrl, freshRedisUrl } from "../support/servers.ts";

describe("the life of a node", () => {
  describe("as a list of steps", () => {
    let readiness: Readiness;
    let lifecycle: Lifecycle;
    let taken: string[];

    beforeEach(() => {
      readiness = new Readiness(["database", "stores"]);
      lifecycle = new Lifecycle({ clock: systemClock, log: silentLog, readiness, startTimeoutMs: 60_000 });
      taken = [];
    });

    const step = (name: string) => (): void => {
      taken.push(`${name} ${readiness.draining ? "draining" : "up"}`);
    };

    it("is not ready before its parts are, nor from the first moment of a drain", async () => {
      await lifecycle.start("database", async () => {});
      assert.equal(readiness.report().ready, false);
      await lifecycle.start("stores", async () => {});
      assert.equal(readiness.report().ready, true);
      const { promise, resolve } = Promise.withResolvers<void>();
      lifecycle.onStop("stores", () => promise);
      const stopped = lifecycle.stop(1000);
      assert.deepEqual(readiness.report(), {
        ready: false,
        parts: { database: "ready", stores: "ready", node: "draining" },
      });
      resolve();
      assert.equal(await stopped, true);
    });

    it("hands over before it stops anything, each in the reverse of the order of start", async () => {
      lifecycle.onStop("database", step("database"));
      lifecycle.onDrain("actors", step("actors"));
      lifecycle.onStop("rooms", step("rooms"));
      lifecycle.onDrain("jobs", step("jobs"));
      assert.equal(await lifecycle.stop(1000), true);
      assert.deepEqual(taken, ["jobs draining", "actors draining", "rooms draining", "database draining"]);
    });

    it("takes every step once, whatever fails and however often it is told to stop", async () => {
      lifecycle.onStop("database", step("database"));
      lifecycle.onStop("stores", () => {
        throw new Error("as asked");
      });
      lifecycle.onStop("rooms", async () => {
        step("rooms")();
        throw new Error("as asked");
      });
      const [one, other] = await Promise.all([lifecycle.stop(1000), lifecycle.stop(1000)]);
      assert.deepEqual([one, other], [true, true]);
      assert.deepEqual(taken, ["rooms draining", "database draining"]);
    });

    it("tells when it did not stop in time", async () => {
      lifecycle.onStop("rooms", () => new Promise(() => {}));
      assert.equal(await lifecycle.stop(10), false);
    });
  });

  describe("as a process", function () {
    this.timeout(120_000);
    let directory: string;
    let sqlite: string;
    /** What a node wrote that has ten seconds' deadline with Redis: it is begun before all tests, and theirs go by meanwhile. */
    let withoutRedis: Promise<string>;

    before(async () => {
      directory = temporaryDirectory("lifecycle");
      sqlite = `sqlite:${join(directory, "ringmaster.sqlite")}`;
      withoutRedis = failing({
        DATABASE_URL: await freshDatabaseUrl(),
        // No server of the tests is ever given this port, however long it takes.
        REDIS_URL: "redis://:sesame@127.0.0.1:1",
      });
      // Its own test is told of its failure, however much sooner that comes.
      withoutRedis.catch(() => {});
    });
    after(() => removeDirectory(directory));

    /** Starts a node that cannot start; resolves with what it wrote. */
    async function failing(env: NodeJS.ProcessEnv): Promise<string> {
      const { program, output } = await RingmasterNode.launch({ DATABASE_URL: sqlite, ...env });
      assert.deepEqual(await program.exited, { code: 1, signal: null });
      assert.ok(!output.some((line) => line.startsWith("Ringmaster is ready")));
      const lines = output.filter((line) => !line.startsWith("{"));
      assert.equal(lines.length, 1, `one line, not ${output.join("\n")}`);
      return lines[0]!;
    }

    it("tells when it is ready, and why it is not", async () => {
      const node = await RingmasterNode.start({ DATABASE_URL: sqlite });
      const { status, body } = await node.get<{ ready: boolean; parts: Record<string, string> }>("/readyz");
      assert.deepEqual([status, body.ready], [200, true]);
      assert.ok(["database", "stores", "actors", "jobs", "rooms"].every((part) => body.parts[part] === "ready"));
      assert.deepEqual(await node.program.stop(DEADLINE_MS), { code: 0, signal: null });
      assert.ok(node.output.some((line) => line.includes('"inTime":true')));
      const unverified = node.output.find((line) => line.includes("any score that a client sends is believed"));
      const { level, games } = JSON.parse(unverified!) as { level: string; games: string[] };
      assert.deepEqual(
        [level, games.includes("tetris"), games.includes("snake")],
        ["warn", true, false],
        "production says so at its start",
      );
    });

    const bad: [string, NodeJS.ProcessEnv, RegExp][] = [
      ["a port that is none", { PORT: "lots" }, /^Ringmaster cannot start: PORT: /],
      ["a short secret", { JWT_SECRET: "short" }, /^Ringmaster cannot start: JWT_SECRET: /],
      ["a database of another kind", { DATABASE_URL: "postgres://x" }, /^Ringmaster cannot start: DATABASE_URL: /],
      ["Redis with SQLite", { REDIS_URL: "redis://127.0.0.1:1" }, /^Ringmaster cannot start: REDIS_URL: /],
      [
        "a file that is no folder",
        { DATABASE_URL: "sqlite:/dev/null/x/y" },
        /^Ringmaster cannot start: DATABASE_URL: /,
      ],
    ];
    for (const [name, env, line] of bad) {
      it(`does not start with ${name}, and says so in one line`, async () => {
        assert.match(await failing(env), line);
      });
    }

    it("does not start on a port that is in use, says which, and gives back what it had taken", async () => {
      const databaseUrl = await freshDatabaseUrl();
      const redisUrl = await freshRedisUrl();
      const first = await RingmasterNode.start({ DATABASE_URL: databaseUrl, REDIS_URL: redisUrl });
      const line = await failing({ DATABASE_URL: databaseUrl, REDIS_URL: redisUrl, PORT: String(first.port) });
      assert.equal(line, `Ringmaster cannot start: PORT: ${first.port} is in use`);
      const connection = await createConnection(databaseUrl);
      const [rows] = await connection.query("SELECT DISTINCT owner FROM actors WHERE owner IS NOT NULL");
      await connection.end();
      assert.ok((rows as object[]).length <= 1, "no actor is left with the one that could not start");
      assert.equal((await first.get("/readyz")).status, 200);
      await first.kill();
    });

    it("does not start without MariaDB, and tells no password", async () => {
      const port = await freePort();
      const line = await failing({
        DATABASE_URL: `mysql://root:sesame@127.0.0.1:${port}/x`,
        REDIS_URL: "redis://127.0.0.1:1",
      });
      assert.match(line, /^Ringmaster cannot start: DATABASE_URL: .*ECONNREFUSED/);
      assert.ok(!line.includes("sesame"));
    });

    it("does not start with a wrong password for MariaDB, and does not tell it", async () => {
      const url = new URL(await freshDatabaseUrl());
      url.password = "sesame";
      const line = await failing({ DATABASE_URL: url.href, REDIS_URL: "redis://127.0.0.1:1" });
      assert.match(line, /^Ringmaster cannot start: DATABASE_URL: /);
      assert.ok(!line.includes("sesame"));
    });

    it("ends in order after a signal that came while it was still starting", async () => {
      const databaseUrl = await freshDatabaseUrl();
      const connection = await createConnection(databaseUrl);
      // Its start waits for whoever migrates the database.
      const [[lock]] = (await connection.query("SELECT GET_LOCK('ringmaster.migrations', 20) AS got")) as never as [
        [object],
      ];
      assert.deepEqual(lock, { got: 1 });
      const { program } = await RingmasterNode.launch({ DATABASE_URL: databaseUrl, REDIS_URL: await freshRedisUrl() });
      const isWaiting = async (): Promise<boolean> => {
        const [rows] = await connection.query(
          "SELECT 1 FROM information_schema.processlist WHERE state = 'User lock' AND db = DATABASE()",
        );
        return (rows as object[]).length > 0;
      };
      await until(isWaiting, { what: "the node waits for the lock", timeoutMs: DEADLINE_MS });
      program.signal("SIGTERM");
      await connection.query("DO RELEASE_LOCK('ringmaster.migrations')");
      assert.deepEqual(await program.exited, { code: 0, signal: null });
      await connection.end();
    });

    it("gives up its port when it stops, with a keep-alive connection open", async () => {
      const node = await RingmasterNode.start({ DATABASE_URL: sqlite });
      await node.get("/healthz");
      assert.deepEqual(await node.program.stop(DEADLINE_MS), { code: 0, signal: null });
      assert.equal(await isFree(node.port), true);
    });

    it("serves on and ends in order when whoever read its log is gone, and hears a second signal", async () => {
      const deadline = { DATABASE_URL: sqlite, LOG_LEVEL: "trace", SHUTDOWN_TIMEOUT_MS: "600000" };
      const first = await RingmasterNode.start(deadline);
      first.program.stopReading();
      for (let times = 0; times < 3; times++) assert.equal((await first.get("/healthz")).status, 200);
      assert.deepEqual(await first.program.stop(DEADLINE_MS), { code: 0, signal: null });

      const second = await RingmasterNode.start(deadline);
      const { token } = await second.signIn();
      await second.client(token).joinOrCreate("lobby");
      second.program.stopReading();
      second.program.signal("SIGINT");
      second.program.signal("SIGINT");
      const { code, signal } = await second.program.exited;
      assert.ok(code === 0 || code === 1, `it ended with ${signal ?? code}`);
    });

    it("does not start without Redis, and tells no password", async () => {
      const line = await withoutRedis;
      assert.match(line, /^Ringmaster cannot start: REDIS_URL: /);
      assert.ok(!line.includes("sesame"));
    });
  });
});
