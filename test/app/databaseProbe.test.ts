import assert from "node:assert/strict";
import { systemClock } from "../../src/clock.ts";
import { DatabaseProbe, mysqlQuestion, type Question } from "../../src/entities/DatabaseProbe.ts";
import { ManualClock } from "../actors/simulation.ts";
import { SilentProxy } from "../cluster/supportProxy.ts";
import { itMeanwhile } from "../support/meanwhile.ts";
import { PATIENCE_MS, until } from "../support/processes.ts";
import { RingmasterNode } from "../support/RingmasterNode.ts";
import { type DatabaseServer, freshRedisUrl, sharedDatabase, startMariaDb } from "../support/servers.ts";

type Answer = "answers" | "refuses" | "is silent";

describe("the probe of the database", () => {
  /** Asks a database that does this; resolves with what was told, and after how many milliseconds. */
  async function toldOf(answers: Answer[], last: Answer, forMs = 30_000): Promise<[boolean, number][]> {
    const clock = new ManualClock();
    const began = clock.now();
    const told: [boolean, number][] = [];
    const question: Question = {
      ask: async () => {
        const answer = answers.shift() ?? last;
        if (answer === "refuses") throw new Error("ECONNREFUSED");
        if (answer === "is silent") await new Promise(() => {});
      },
      giveUp: () => {},
    };
    const probe = new DatabaseProbe(question, { clock, told: (isThere) => told.push([isThere, clock.now() - began]) });
    probe.start();
    await clock.advance(forMs);
    probe.stop();
    return told;
  }

  it("tells within 2 s of a database that refuses, and within 6 s of one that is silent", async () => {
    assert.deepEqual(await toldOf([], "refuses"), [[false, 2000]]);
    assert.deepEqual(await toldOf([], "is silent"), [[false, 6000]]);
  });

  it("tells that it is back after two answers in a row", async () => {
    const told = await toldOf(["refuses", "refuses", "answers", "refuses"], "answers");
    assert.deepEqual(told, [
      [false, 2000],
      [true, 6000],
    ]);
  });

  it("tells nothing for one failure, nor for every other one", async () => {
    assert.deepEqual(await toldOf(["answers", "is silent"], "answers"), []);
    const everyOther = Array.from({ length: 20 }, (_, at): Answer => (at % 2 === 0 ? "refuses" : "answers"));
    assert.deepEqual(await toldOf(everyOther, "answers"), []);
  });

  it("tells nothing any more once it is stopped, and asks nothing", async () => {
    const clock = new ManualClock();
    let asked = 0;
    const ask = async (): Promise<void> => {
      asked += 1;
    };
    const probe = new DatabaseProbe({ ask, giveUp: () => {} }, { clock, told: () => assert.fail("nothing is told") });
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
      { timeoutMs: PATIENCE_MS, what: `/readyz is ${wanted}` },
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

describe("the probe of a database whose connections can go dead", function () {
  this.timeout(120_000);

  itMeanwhile("opens another connection when its own has gone dead without a word", async () => {
    const server = await sharedDatabase();
    const proxy = await SilentProxy.to(server.port);
    const url = new URL(await server.createDatabase());
    url.port = String(proxy.port);
    const probe = new DatabaseProbe(mysqlQuestion(url.href), {
      clock: systemClock,
      told: () => assert.fail("the database has been there all the time"),
    });
    probe.start();
    const connected = (times: number) =>
      until(() => proxy.connections === times, { timeoutMs: PATIENCE_MS, what: `connection ${times}` });
    await connected(1);
    proxy.silence(0);
    await connected(2);
    probe.stop();
    proxy.close();
  });
});
