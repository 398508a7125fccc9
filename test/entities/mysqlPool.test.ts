import assert from "node:assert/strict";
import { systemClock } from "../../src/clock.ts";
import { CommitUnknown, failureOf } from "../../src/entities/failures.ts";
import { shares } from "../../src/entities/MysqlDatabase.ts";
import { MysqlPool, type PoolLimits } from "../../src/entities/MysqlPool.ts";
import { MysqlTransaction } from "../../src/entities/MysqlTransaction.ts";
import { BulkLoader } from "../../src/entities/mysqlBulk.ts";
import { SilentProxy } from "../cluster/supportProxy.ts";
import { DEADLINE_MS } from "../support/processes.ts";
import { freshDatabaseUrl } from "../support/servers.ts";

const codeOf = (error: unknown) => (error as { code?: string }).code;

describe("the connections of a class of work", function () {
  this.timeout(120_000);
  let url: URL;
  let proxy: SilentProxy;
  let pool: MysqlPool;
  let stopWatching: () => void;

  /** A pool on its way through the proxy, watched often. */
  function open(limits: Partial<PoolLimits> = {}): MysqlPool {
    pool = new MysqlPool({ uri: url.href }, { connections: 2, statementMs: 300, waitMs: 10_000, ...limits });
    const watch = (): void => {
      if (pool.watch()) pool.distrust();
      stopWatching = systemClock.schedule(watch, 20);
    };
    watch();
    return pool;
  }

  before(async () => {
    url = new URL(await freshDatabaseUrl());
  });

  beforeEach(async () => {
    const { port } = new URL(await freshDatabaseUrl());
    proxy = await SilentProxy.to(Number(port));
    url.port = String(proxy.port);
  });

  afterEach(async () => {
    await pool.close();
    stopWatching();
    proxy.close();
  });

  it("answers a statement that nobody answers as lost, and goes on with new connections", async () => {
    open();
    await Promise.all([pool.send("SELECT SLEEP(0.1)"), pool.send("SELECT SLEEP(0.1)")]);
    proxy.silence(0);
    proxy.silence(1);
    await assert.rejects(
      pool.send("SELECT 2"),
      (error) => codeOf(error) === "STATEMENT_TIMEOUT" && failureOf(error) === "lost",
    );
    assert.deepEqual(await pool.send("SELECT 3 AS three"), [{ three: 3 }]);
  });

  it("gives nothing up that was answered while this process itself stood still", async () => {
    open();
    await pool.send("SELECT 1");
    const answer = pool.send("SELECT 2 AS two");
    // It is on its way by then.
    await new Promise((resolve) => setImmediate(resolve));
    const until = performance.now() + 500;
    while (performance.now() < until);
    assert.deepEqual(await answer, [{ two: 2 }]);
  });

  it("gives up what nobody uses once one connection is silent: they may be dead as well", async () => {
    open({ connections: 4 });
    await Promise.all(Array.from({ length: 4 }, () => pool.send("SELECT SLEEP(0.1)")));
    for (let at = 0; at < 4; at += 1) proxy.silence(at);
    await assert.rejects(pool.send("SELECT 1"));
    // Each of the others would be another statement lost.
    assert.deepEqual(await pool.send("SELECT 3 AS three"), [{ three: 3 }]);
    assert.equal(proxy.connections, 5);
  });

  it("leaves a slow statement its time, where it was given more", async () => {
    open();
    const connection = await pool.acquire();
    connection.allow(DEADLINE_MS);
    await connection.send("SELECT SLEEP(0.6)");
    pool.release(connection);
    await assert.rejects(pool.send("SELECT SLEEP(30)"), (error) => codeOf(error) === "STATEMENT_TIMEOUT");
  });

  it("ends waiting for a connection that none gives back, first come, first served", async () => {
    open({ connections: 1, statementMs: DEADLINE_MS, waitMs: 200 });
    const held = await pool.acquire();
    await assert.rejects(pool.acquire(), (error) => codeOf(error) === "POOL_TIMEOUT" && failureOf(error) === "refused");
    const [first, second] = [pool.acquire(), pool.acquire()];
    pool.release(held);
    const connection = await first;
    pool.release(connection);
    assert.equal(await second, connection);
    pool.release(connection);
  });

  it("goes to callers and timers by turns, however many timers have waited for longer", async () => {
    open({ connections: 1, statementMs: DEADLINE_MS });
    const held = await pool.acquire();
    const order: string[] = [];
    const use = async (name: string, line: "callers" | "timers"): Promise<void> => {
      const connection = await pool.acquire(line);
      order.push(name);
      pool.release(connection);
    };
    const timers = ["t0", "t1", "t2", "t3", "t4"].map((name) => use(name, "timers"));
    const callers = ["c0", "c1"].map((name) => use(name, "callers"));
    pool.release(held);
    await Promise.all([...timers, ...callers]);
    assert.deepEqual(order, ["t0", "c0", "t1", "c1", "t2", "t3", "t4"]);
  });

  it("tells that a commit may have happened when nobody answers it, and uses its connection no more", async () => {
    open({ connections: 1 });
    const tx = await MysqlTransaction.begin(undefined as never, pool, new BulkLoader());
    await tx.query("SELECT 1");
    proxy.silence(0);
    await assert.rejects(tx.commit(), (error) => error instanceof CommitUnknown);
    assert.deepEqual(await pool.send("SELECT 3 AS three"), [{ three: 3 }]);
  });

  it("gets a connection back whose rollback nobody answers", async () => {
    open({ connections: 1 });
    const tx = await MysqlTransaction.begin(undefined as never, pool, new BulkLoader());
    proxy.silence(0);
    await tx.rollback();
    assert.deepEqual(await pool.send("SELECT 3 AS three"), [{ three: 3 }]);
  });

  it("takes a statement for lost whose connection the server ends", async () => {
    open({ statementMs: DEADLINE_MS });
    await pool.send("SELECT 1");
    const waiting = pool.send("SELECT SLEEP(30)");
    setImmediate(() => proxy.end(0));
    await assert.rejects(waiting, (error) => failureOf(error) === "lost");
  });

  it("lends another connection in the place of one that has ended with whoever has it", async () => {
    open({ connections: 1, statementMs: DEADLINE_MS, waitMs: DEADLINE_MS });
    const held = await pool.acquire();
    const waiting = pool.acquire();
    proxy.end(0);
    const other = await waiting;
    assert.deepEqual(await other.send("SELECT 3 AS three"), [{ three: 3 }]);
    await assert.rejects(held.send("SELECT 1"), (error) => failureOf(error) === "unreachable");
    pool.release(held);
    pool.release(other);
  });

  it("lends no connection whose session may not be set", async () => {
    open({ connections: 1, statementMs: DEADLINE_MS });
    proxy.swallowAnswerTo("innodb_lock_wait_timeout", 1);
    const session =
      "SHOW SESSION VARIABLES WHERE Variable_name IN ('tx_isolation', 'transaction_isolation', 'sql_mode', 'innodb_lock_wait_timeout')";
    await assert.rejects(pool.send(session), (error) => failureOf(error) === "unreachable");
    assert.equal(proxy.unswallowed, 0);
    const rows = await pool.send<{ Variable_name: string; Value: string }[]>(session);
    const set = new Map(
      rows.map(({ Variable_name: name, Value: value }) => [name.replace("transaction_", "tx_"), value]),
    );
    assert.equal(set.get("tx_isolation"), "READ-COMMITTED");
    assert.match(set.get("sql_mode")!, /STRICT_ALL_TABLES/);
    assert.equal(set.get("innodb_lock_wait_timeout"), "3");
  });

  it("refuses what does not fit, though the server is set to cut it", async () => {
    open();
    await pool.send("CREATE TABLE narrow (text VARCHAR(3))", []);
    await assert.rejects(pool.send("INSERT INTO narrow VALUES ('long')"), (error) => failureOf(error) === "fault");
    assert.deepEqual(await pool.send("SELECT * FROM narrow"), []);
  });

  it("refuses at once when too many wait", async () => {
    open({ connections: 1, statementMs: DEADLINE_MS });
    const held = await pool.acquire();
    const waiting = Array.from({ length: 50_000 }, () => pool.acquire());
    await assert.rejects(pool.acquire(), (error) => codeOf(error) === "POOL_FULL");
    pool.release(held);
    for (const one of waiting) pool.release(await one);
  });
});

describe("the connections of a node", () => {
  it("are divided among four classes of work, of which each has some", () => {
    assert.deepEqual(shares(16), { control: 2, commits: 6, turns: 6, reports: 2 });
    for (let total = 5; total <= 200; total += 1) {
      const all = Object.values(shares(total));
      assert.ok(Math.min(...all) >= 1);
      assert.equal(
        all.reduce((sum, one) => sum + one, 0),
        total,
      );
    }
  });
});
