import assert from "node:assert/strict";
import type { Database, Transaction } from "../../src/entities/sql.ts";
import { openDatabase } from "../support/database.ts";
import { itMeanwhile } from "../support/meanwhile.ts";
import { migratedDatabaseUrl } from "../support/migratedDatabase.ts";
import { type DatabaseServer, startMariaDb } from "../support/servers.ts";
import { Cluster, type ClusterNode, sooner } from "./support.ts";
import { History, named, withCluster } from "./supportHistory.ts";
import type { LoadRecord } from "./workerProtocol.ts";

describe("actors on a cluster that loses MariaDB", function () {
  this.timeout(120_000);
  let server: DatabaseServer;
  let cluster: Cluster;
  let history: History;
  let nodes: ClusterNode[];

  before(async () => {
    server = await startMariaDb();
  });

  after(() => server.stop());

  beforeEach(async () => {
    cluster = await Cluster.open({ databaseUrl: await server.createDatabase() });
    history = new History(cluster.database);
    nodes = await cluster.boot(["a", "b", "c"]);
    await cluster.join(...nodes);
  });

  afterEach(() => cluster.close());

  it("is honest about every call while MariaDB is killed, comes back and is restarted, and applies none twice", async () => {
    const targets = named("x", 20);
    const ticking = named("t", 5);
    await nodes[0]!.startTicking(ticking, { everyMs: 500 });
    const load = { targets, callers: 10, withRequestIds: true, deadlineMs: 3000 };
    for (const node of nodes) await node.beginLoad(load);
    await untilAnswered(50);
    await server.kill();
    await server.restart();
    await untilAnswered(50);
    // In order, this time: what it tells its clients then is something else.
    await server.restart();
    await untilAnswered(50);
    const records = (await Promise.all(nodes.map((node) => node.endLoad()))).flat();
    await history.untilTicked(ticking, 2);
    await assertHonest(records);
    await history.assertTicksAreWhole(ticking);
  });

  async function untilAnswered(more: number): Promise<void> {
    for (const node of nodes) await node.untilAnswered(more);
  }

  async function assertHonest(records: readonly LoadRecord[]): Promise<void> {
    const times = new Map<string, number>();
    for (const { name } of await history.effects("name <> 'tick'")) times.set(name, (times.get(name) ?? 0) + 1);
    const failures = records.flatMap(({ codes }) => codes);
    assert.deepEqual(
      failures.filter((code) => code !== "not_delivered" && code !== "outcome_unknown"),
      [],
      "every failure tells its outcome",
    );
    for (const { name, codes, value } of records) {
      const applied = times.get(name) ?? 0;
      const expected =
        value !== undefined ? applied === 1 : codes.includes("outcome_unknown") ? applied <= 1 : applied === 0;
      assert.ok(expected, `${name}: ${codes.join()} → ${value}, and it was applied ${applied} times`);
    }
    const count = (codes: string) => failures.filter((code) => code === codes).length;
    console.log(
      `      ${records.length} calls, ${count("not_delivered")} not delivered, ${count("outcome_unknown")} unknown`,
    );
    assert.ok(failures.length > 0, "the outage was felt");
    const answers = new Set(records.filter(({ value }) => value).map(({ actor, value }) => `${actor} ${value}`));
    assert.equal(answers.size, records.filter(({ value }) => value).length, "no two calls had the same answer");
  }
});

describe("actors on a cluster that loses Redis", function () {
  this.timeout(120_000);

  itMeanwhile(
    "moves no actor and misses no firing while Redis is away with all its data, and calls across nodes afterwards",
    () =>
      withCluster({}, async (cluster, history) => {
        const nodes = await cluster.boot(["a", "b", "c"]);
        await cluster.join(...nodes);
        const actors = named("t", 30);
        await nodes[0]!.startTicking(actors, { everyMs: 500 });
        await history.untilTicked(actors, 1);
        const before = await homes(history);
        assert.equal(new Set(before.map(({ owner }) => owner)).size, 3, "every node has actors");
        await cluster.redis.kill();
        // Eight firings take longer than the TTL, after which a less patient cluster would have buried everybody.
        await history.untilTicked(actors, 8);
        await cluster.redis.restart();
        const calls = actors.map((actor) => ({ kind: "counter", actor, method: "read", args: [] }));
        const answers = (await Promise.all(nodes.map((node) => node.ask({ op: "calls", calls })))).flat();
        assert.deepEqual(
          answers.filter((answer) => "code" in answer),
          [],
          "every node reaches every actor",
        );
        await history.untilTicked(actors, 8);
        assert.deepEqual(await homes(history), before);
        await history.assertTicksAreWhole(actors);
      }),
  );

  async function homes(history: History): Promise<{ id: string; owner: string | null; epoch: number }[]> {
    return [...(await history.actors()).values()].map(({ id, owner, epoch }) => ({ id, owner, epoch }));
  }
});

describe("transactions on a real server", function () {
  this.timeout(120_000);

  /** Two nodes' databases, of the same three free seats. */
  async function onBoth(work: (one: Database, other: Database) => Promise<void>): Promise<void> {
    const config = { kind: "mysql", url: await migratedDatabaseUrl(), pool: 32 } as const;
    const [one, other] = await Promise.all([openDatabase(config), openDatabase(config)]);
    try {
      await one.write("CREATE TABLE seats (id VARCHAR(8) PRIMARY KEY, taken INT NOT NULL) ENGINE=InnoDB");
      await one.write("INSERT INTO seats VALUES ('a', 0), ('b', 0), ('c', 0)");
      await work(one, other);
    } finally {
      await Promise.all([one.close(), other.close()]);
    }
  }

  const take = (tx: Transaction, id: string) => tx.write("UPDATE seats SET taken = taken + 1 WHERE id = ?", [id]);

  itMeanwhile("let go of their rows when their process has stalled, also when it has written nothing yet", () =>
    onBoth(async (one, other) => {
      const [locking, writing] = await Promise.all([one.begin(), one.begin()]);
      await locking.query("SELECT id FROM seats WHERE id = 'a' FOR UPDATE");
      await take(writing, "b");
      await assert.rejects(other.query("SELECT id FROM seats FOR UPDATE NOWAIT"));
      const seats = await sooner("the rows are free", () =>
        other.query<{ taken: number }>("SELECT taken FROM seats FOR UPDATE NOWAIT"),
      );
      assert.ok(seats.every(({ taken }) => taken === 0));
      await assert.rejects(writing.commit());
      await locking.rollback();
    }),
  );

  it("store nothing after a deadlock has undone them, whoever overlooks it", () =>
    onBoth(async (one, other) => {
      const [first, second] = await Promise.all([one.begin(), other.begin()]);
      await take(first, "a");
      await take(second, "b");
      const crossing = await Promise.allSettled([take(first, "b"), take(second, "a")]);
      const undone = crossing[0].status === "rejected" ? first : second;
      await assert.rejects(take(undone, "c"), { code: "ER_LOCK_DEADLOCK" });
      await assert.rejects(undone.commit(), { code: "ER_LOCK_DEADLOCK" });
      await (undone === first ? second : first).commit();
      const seats = await one.query<{ taken: number }>("SELECT taken FROM seats ORDER BY id");
      assert.deepEqual(
        seats.map(({ taken }) => taken),
        [1, 1, 0],
      );
    }));
});
