import assert from "node:assert/strict";
import { type Clock, systemClock, systemRng } from "../../src/clock.ts";
import { DatabaseProbe, mysqlQuestion, type Question, type Reach } from "../../src/entities/DatabaseProbe.ts";
import { ManualClock } from "../actors/simulation.ts";
import { SilentProxy } from "../cluster/supportProxy.ts";
import { openDatabase } from "../support/database.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { RingmasterNode } from "../support/RingmasterNode.ts";
import { type DatabaseServer, freshRedisUrl, sharedDatabase, startMariaDb } from "../support/servers.ts";

type Answer = "answers" | "refuses" | "is silent" | "is read-only" | "is full";

const ERRORS: Partial<Record<Answer, object>> = {
  refuses: { code: "ECONNREFUSED", fatal: true },
  "is read-only": { errno: 1290, sqlState: "HY000" },
  "is full": { errno: 1040, sqlState: "08004" },
};

describe("the probe of the database", () => {
  /** Asks a database that does this; resolves with what was told, and after how many milliseconds, and how often it gave up. */
  async function toldOf(answers: Answer[], last: Answer, { forMs = 30_000, isConnected = false } = {}) {
    const clock = new ManualClock();
    const began = clock.now();
    const told: [Reach, number][] = [];
    let gaveUp = 0;
    let isFresh = !isConnected;
    const question: Question = {
      get isFresh() {
        return isFresh;
      },
      ask: async () => {
        isFresh = false;
        const answer = answers.shift() ?? last;
        if (answer === "is silent") await new Promise(() => {});
        const error = ERRORS[answer];
        if (error) throw Object.assign(new Error(answer), error);
      },
      giveUp: () => {
        isFresh = true;
      },
    };
    const ports = {
      clock,
      gaveUp: () => {
        gaveUp += 1;
      },
    };
    const probe = new DatabaseProbe(question, ports);
    probe.watch((reach) => told.push([reach, clock.now() - began]));
    probe.start();
    await clock.advance(forMs);
    probe.stop();
    const toldLater: Reach[] = [];
    probe.watch((reach) => toldLater.push(reach));
    return { told, gaveUp, toldLater };
  }

  it("tells after two failures of one that refuses connections, and of one that is silent, that it is unreachable", async () => {
    assert.deepEqual((await toldOf([], "refuses")).told, [["unreachable", 2000]]);
    assert.deepEqual((await toldOf([], "is silent")).told, [["unreachable", 4000]]);
  });

  it("takes it for unreachable within 6 s when its own connection has gone silent with all others", async () => {
    const { told, gaveUp } = await toldOf([], "is silent", { isConnected: true, forMs: 6000 });
    assert.deepEqual(told, [
      ["fails", 4000],
      ["unreachable", 5500],
    ]);
    assert.ok(gaveUp >= 3);
  });

  it("tells nothing when just its own connection has gone silent, but that others may have", async () => {
    assert.deepEqual(await toldOf(["is silent"], "answers", { isConnected: true }), {
      ...{ told: [], gaveUp: 1, toldLater: [] },
    });
  });

  it("never takes one for unreachable that says no: because it is read-only, or has no connection left", async () => {
    for (const no of ["is read-only", "is full"] as const)
      assert.deepEqual(await toldOf([], no), { told: [["fails", 2000]], gaveUp: 0, toldLater: ["fails"] });
    const { told } = await toldOf(["is silent", "is full", "is silent", "is full", "is silent"], "answers");
    assert.deepEqual(
      told.map(([reach]) => reach),
      ["fails", "works"],
    );
  });

  it("tells whoever begins to watch how things stand", async () => {
    assert.deepEqual((await toldOf([], "refuses")).toldLater, ["unreachable"]);
    assert.deepEqual((await toldOf(["refuses", "refuses"], "answers")).toldLater, []);
  });

  it("takes a database for no worse because this process itself stands still, and for what it is once it goes on", async () => {
    const manual = new ManualClock();
    let stoodStillMs = 0;
    let standsStill = true;
    const clock: Clock = {
      now: () => manual.now() + stoodStillMs,
      monotonic: () => manual.monotonic() + stoodStillMs,
      schedule: (callback, ms) => manual.schedule(callback, ms),
    };
    const ask = async (): Promise<void> => {
      if (standsStill) stoodStillMs += 1600;
      await new Promise(() => {});
    };
    const probe = new DatabaseProbe({ isFresh: true, ask, giveUp: () => {} }, { clock });
    const told: Reach[] = [];
    probe.watch((reach) => told.push(reach));
    probe.start();
    await manual.advance(30_000);
    assert.deepEqual(told, []);
    standsStill = false;
    await manual.advance(6000);
    probe.stop();
    assert.deepEqual(told, ["unreachable"]);
  });

  it("asks on, and tells the others, when one of those whom it tells throws", async () => {
    const clock = new ManualClock();
    let asked = 0;
    const ask = async (): Promise<void> => {
      asked += 1;
      throw Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
    };
    const probe = new DatabaseProbe({ isFresh: true, ask, giveUp: () => {} }, { clock });
    const told: Reach[] = [];
    const rejections: unknown[] = [];
    const before = process.listeners("unhandledRejection");
    process.removeAllListeners("unhandledRejection");
    process.on("unhandledRejection", (error) => rejections.push(error));
    try {
      probe.watch(() => {
        throw new Error("as asked");
      });
      probe.watch((reach) => told.push(reach));
      probe.start();
      await clock.advance(10_000);
      await new Promise((resolve) => setImmediate(resolve));
    } finally {
      process.removeAllListeners("unhandledRejection");
      for (const listener of before) process.on("unhandledRejection", listener);
      probe.stop();
    }
    assert.deepEqual([told, rejections.length], [["unreachable"], 1]);
    assert.ok(asked > 4);
  });

  it("tells that it is back within 2 s, after two answers in a row", async () => {
    const { told } = await toldOf(["refuses", "refuses", "answers", "refuses"], "answers");
    assert.deepEqual(told, [
      ["unreachable", 2000],
      ["works", 3600],
    ]);
  });

  it("tells nothing for one failure, nor for every other one", async () => {
    assert.deepEqual((await toldOf(["answers", "is silent"], "answers")).told, []);
    const everyOther = Array.from({ length: 20 }, (_, at): Answer => (at % 2 === 0 ? "refuses" : "answers"));
    assert.deepEqual((await toldOf(everyOther, "answers")).told, []);
  });

  it("tells nothing any more once it is stopped, and asks nothing", async () => {
    const clock = new ManualClock();
    let asked = 0;
    const ask = async (): Promise<void> => {
      asked += 1;
    };
    const probe = new DatabaseProbe({ ask, isFresh: true, giveUp: () => {} }, { clock });
    probe.watch(() => assert.fail("nothing is told"));
    probe.start();
    await clock.advance(1500);
    probe.stop();
    await clock.advance(10_000);
    assert.equal(asked, 1);
  });
});

describe("/readyz while MariaDB is away", function () {
  this.timeout(120_000);
  let server: DatabaseServer;
  let node: RingmasterNode;

  before(async () => {
    server = await startMariaDb({ inMemory: true });
    node = await RingmasterNode.start({
      DATABASE_URL: await server.createDatabase(),
      REDIS_URL: await freshRedisUrl(),
    });
  });

  after(async () => {
    await node.kill();
    await server.stop();
  });

  const untilReadyzIs = (wanted: number) =>
    until(
      async () => {
        const { status, body } = await node.get<{ parts: Record<string, string> }>("/readyz");
        return status === wanted && body.parts;
      },
      { timeoutMs: DEADLINE_MS, what: `/readyz is ${wanted}` },
    );

  it("is 503 while it stands still, says why, and is 200 again when it goes on", async () => {
    await untilReadyzIs(200);
    await server.freeze();
    const parts = await untilReadyzIs(503);
    assert.deepEqual(parts, {
      ...{ database: "MySQL is out of reach", stores: "ready", actors: "ready", jobs: "ready", rooms: "ready" },
    });
    assert.equal((await node.get("/healthz")).status, 200);
    await server.thaw();
    await untilReadyzIs(200);
  });

  it("is 503 while it is dead, and 200 again when it is back, and then the node works", async () => {
    await server.kill();
    await untilReadyzIs(503);
    await server.restart();
    await untilReadyzIs(200);
    assert.ok((await node.signIn("Ann")).token);
  });

  it("says in the log when it went and when it came", () => {
    const told = node.output.filter((line) => /the database is (out of reach|back)/.test(line));
    assert.deepEqual(
      told.map((line) => (JSON.parse(line) as { level: string }).level),
      ["warn", "info", "warn", "info"],
    );
  });
});

describe("the probe of a real database", function () {
  this.timeout(120_000);

  it("opens another connection when its own has gone dead without a word, and takes a full disk and read_only for what they are", async () => {
    const server = await sharedDatabase();
    const proxy = await SilentProxy.to(server.port);
    const url = new URL(await server.createDatabase());
    const database = await openDatabase({ kind: "mysql", url: url.href, pool: 5 });
    url.port = String(proxy.port);
    let refusal: unknown;
    const question = mysqlQuestion(url.href, { clock: systemClock, rng: systemRng, refusal: () => refusal });
    const probe = new DatabaseProbe(question, { clock: systemClock });
    const told: Reach[] = [];
    probe.watch((reach) => told.push(reach));
    probe.start();
    const sooner = (what: string, condition: () => boolean) => until(condition, { timeoutMs: DEADLINE_MS, what });
    await sooner("its connection is made", () => proxy.connections === 1);
    proxy.silence(0);
    await sooner("another connection is made", () => proxy.connections === 2);
    assert.deepEqual(told, []);
    refusal = Object.assign(new Error("The table is full"), { errno: 1114, sqlState: "HY000" });
    await sooner("it tells of the disk", () => told.length === 1);
    refusal = undefined;
    await sooner("it tells that it works", () => told.length === 2);
    assert.deepEqual(told, ["fails", "works"]);
    const rows = await database.query("SELECT * FROM database_probes");
    assert.equal(rows.length, 1);
    probe.stop();
    proxy.close();
    await database.close();
  });
});
