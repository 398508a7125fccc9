import assert from "node:assert/strict";
import { createConnection } from "mysql2/promise";
import { MemoryHub } from "../../src/actors/runtime/MemoryBus.ts";
import { MessageTable } from "../../src/actors/runtime/MessageTable.ts";
import { OutboxEvents } from "../../src/actors/runtime/OutboxEvents.ts";
import { systemClock } from "../../src/clock.ts";
import type { Database } from "../../src/entities/sql.ts";
import { MemoryFeed } from "../../src/stores/feeds/MemoryFeed.ts";
import { openDatabase } from "../support/database.ts";
import { hearing } from "../support/hearing.ts";
import { DEADLINE_MS } from "../support/processes.ts";
import { rowsRead } from "../support/rowsRead.ts";
import { type DatabaseServer, startMariaDb } from "../support/servers.ts";
import { CounterActor, kindOf, SimulatedNode } from "./simulation.ts";

/** Tells and publishes several things at once. */
class Crier extends CounterActor {
  static override readonly kind = "crier";

  async cry(times: number): Promise<void> {
    this.state.count += 1;
    for (let at = 0; at < times; at += 1) {
      this.publish("news", { type: "cried", data: { by: this.id, at } });
      this.send(CounterActor, `of-${this.id}`).add(1);
    }
  }
}

describe("messages on MariaDB", function () {
  this.timeout(120_000);
  let server: DatabaseServer;
  let url: string;
  let database: Database;

  before(async () => {
    server = await startMariaDb({ inMemory: true, flushLogAtCommit: 2 });
    await administer("SET GLOBAL auto_increment_increment = 3");
    url = await server.createDatabase();
    const name = url.split("/").at(-1)!;
    await administer("CREATE USER 'app'@'%' IDENTIFIED BY 'app'", `GRANT ALL ON ${name}.* TO 'app'@'%'`);
    // One whom a server that is read-only refuses.
    url = url.replace(/\/\/root:[^@]*@/, "//app:app@");
    database = await openDatabase({ kind: "mysql", url, pool: 8 });
  });

  after(async () => {
    await database?.close();
    await server?.stop();
  });

  async function administer(...statements: string[]): Promise<void> {
    const connection = await createConnection(server.url);
    for (const statement of statements) await connection.query(statement);
    await connection.end();
  }

  async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
    const end = systemClock.monotonic() + DEADLINE_MS;
    while (!(await isSo())) {
      if (systemClock.monotonic() > end) assert.fail(`not in time: ${what}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  const isEmpty = async (): Promise<boolean> => {
    const [row] = await database.query<{ n: number }>(
      "SELECT (SELECT COUNT(*) FROM actor_tells) + (SELECT COUNT(*) FROM actor_events) AS n",
    );
    return Number(row!.n) === 0;
  };

  async function withNodes(count: number, work: (nodes: SimulatedNode[], news: unknown[]) => Promise<void>) {
    const [hub, feed, news] = [new MemoryHub(), new MemoryFeed(), [] as unknown[]];
    await feed.follow(
      "news",
      hearing(({ data }) => news.push(data)),
    );
    const nodes = Array.from({ length: count }, (_, at) => {
      const parts = { id: `n${at}`, hub, database, clock: systemClock, feed };
      return new SimulatedNode(parts, [kindOf(CounterActor), kindOf(Crier)]);
    });
    try {
      for (const node of nodes) await node.actors.start();
      await work(nodes, news);
    } finally {
      for (const node of nodes) await node.crash();
    }
  }

  it("delivers each once where the server counts in threes, and deletes nobody else's", async () => {
    await withNodes(3, async (nodes, news) => {
      const criers = Array.from({ length: 12 }, (_, at) => `c${at}`);
      await Promise.all(criers.map((id, at) => nodes[at % 3]!.actors.ref(Crier, id).cry(7)));
      await until("all is delivered", isEmpty);
      const [node] = nodes;
      for (const id of criers) {
        assert.equal(await node!.actors.ref(CounterActor, `of-${id}`).read(), 7, id);
        const cries = news.filter((one) => (one as { by: string }).by === id) as { at: number }[];
        assert.deepEqual(
          cries.map(({ at }) => at),
          [0, 1, 2, 3, 4, 5, 6],
          id,
        );
      }
    });
  });

  it("loses nothing while the server is read-only for a moment, and has it take effect once", async () => {
    await withNodes(2, async (nodes) => {
      const [node] = nodes;
      const told = node!.actors.ref(CounterActor, "of-late");
      await told.add(1);
      const crying = Array.from({ length: 20 }, () => node!.actors.ref(Crier, "late").cry(2));
      await Promise.all(crying.slice(0, 1));
      await administer("SET GLOBAL read_only = 1");
      const cries = await Promise.allSettled(crying);
      await new Promise((resolve) => setTimeout(resolve, 500));
      await administer("SET GLOBAL read_only = 0");
      await until("all is delivered", isEmpty);
      const done = cries.filter(({ status }) => status === "fulfilled").length;
      const turns = await node!.actors.ref(Crier, "late").read();
      assert.ok(turns >= done);
      assert.equal(await told.read(), 1 + 2 * turns);
    });
  });

  it("reads no more rows for what waits behind others than it needs", async () => {
    const rows = Array.from({ length: 5000 }, (_, at) => ["s", "stuck", at, 0, "me", "t", "blocked", "{}", 0, 0]);
    const columns = "kind, id, version, idx, owner, target_kind, target_id, message, created_at, attempts".split(", ");
    await database.loadApart("actor_tells", columns, rows);
    await database.loadApart("actor_tells", columns, [["s", "other", 1, 0, "me", "t", "free", "{}", 0, 0]]);
    await database.loadApart(
      "actor_events",
      ["kind", "id", "version", "idx", "owner", "message"],
      Array.from({ length: 5000 }, (_, at) => ["s", "stuck", at, 0, "me", "{}"]),
    );
    await administer(`ANALYZE TABLE ${url.split("/").at(-1)}.actor_tells, ${url.split("/").at(-1)}.actor_events`);
    const first = { kind: "", id: "" };
    const blocked = { kind: "t", id: "blocked" };
    const stuck = { address: { kind: "s", id: "stuck" }, after: { version: 2500, index: 0 } };
    const reads: Record<string, number> = {
      targets: await rowsRead(database, (sql) => new MessageTable(sql, "me").targets(first, 100)),
      sendersTo: await rowsRead(database, (sql) => new MessageTable(sql, "me").sendersTo(blocked, first, 32)),
      messages: await rowsRead(database, (sql) => new MessageTable(sql, "me").of(blocked, [stuck], 32)),
      senders: await rowsRead(database, (sql) => new OutboxEvents(sql, "me").senders(first, 50)),
      events: await rowsRead(database, (sql) => new OutboxEvents(sql, "me").of([stuck], 32)),
      deleted: await rowsRead(database, (sql) =>
        new MessageTable(sql, "me").delete(
          Array.from({ length: 100 }, (_, at) => ({ kind: "s", id: "stuck", version: at, index: 0 })),
        ),
      ),
      adopted: await rowsRead(database, (sql) => new MessageTable(sql, "you").adopt("me")),
    };
    for (const [what, count] of Object.entries(reads))
      assert.ok(count <= (what === "adopted" ? 1100 : 150), `${what}: ${count} rows`);
  });
});
