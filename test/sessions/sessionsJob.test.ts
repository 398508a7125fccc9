import assert from "node:assert/strict";
import { type EndedSession, SessionHistory } from "../../src/entities/sessions/SessionHistory.ts";
import type { Database } from "../../src/entities/sql.ts";
import { SETTLED_MS, sessionsJob } from "../../src/schedulers/sessions/sessionsJob.ts";
import { connectRedis, whenReady } from "../../src/stores/runtime/redis.ts";
import { RedisSessionStore } from "../../src/stores/sessions/RedisSessionStore.ts";
import type { SessionStore } from "../../src/stores/sessions/SessionStore.ts";
import { openDatabase } from "../support/database.ts";
import { migratedDatabaseUrl } from "../support/migratedDatabase.ts";
import { runJob } from "../support/runJob.ts";
import { freshRedisUrl } from "../support/servers.ts";

const NOW = 1_700_000_000_000;
const TIMEOUT_MS = 1_800_000;
/** When everything that began at NOW has ended, and may be written down. */
const OVER = NOW + TIMEOUT_MS + SETTLED_MS;

describe("the sessions job", () => {
  const redis = { client: undefined as ReturnType<typeof connectRedis> | undefined };
  let database: Database;
  let store: SessionStore;
  let history: SessionHistory;

  before(async function () {
    this.timeout(120_000);
    redis.client = connectRedis(await freshRedisUrl(), "sessions-job-test");
    await whenReady(redis.client);
    database = await openDatabase({ kind: "mysql", url: await migratedDatabaseUrl(), pool: 32 });
    history = new SessionHistory(database);
  });
  beforeEach(async () => {
    await redis.client!.flushall();
    await database.write("DELETE FROM player_sessions");
    store = new RedisSessionStore(redis.client!, { timeoutMs: TIMEOUT_MS });
  });
  after(async () => {
    redis.client?.disconnect();
    await database?.close();
  });

  const see = (playerIds: readonly string[], at: number, into = store) =>
    into.report({
      nodeId: "n1",
      liveNodes: ["n1"],
      seen: playerIds.map((playerId) => ({ playerId, seat: "", from: at, at })),
      left: [],
    });

  const sweep = (now: number, from: SessionStore = store) =>
    runJob(sessionsJob({ store: from, history, clock: { now: () => now } }));

  const kept = () =>
    database.query<{ player_id: string; started_at: number; ended_at: number; end_reason: string }>(
      "SELECT player_id, started_at, ended_at, end_reason FROM player_sessions ORDER BY player_id, started_at",
    );

  const names = (count: number) => Array.from({ length: count }, (_, at) => `p${String(at).padStart(5, "0")}`);

  it("writes down what has ended, once, and lets the store forget it", async () => {
    await see(["ada", "bob"], NOW);
    await see(["cy"], NOW + 1);
    assert.deepEqual((await sweep(OVER)).result, { kept: 2, left: 0, timedOut: 2, more: false });
    assert.deepEqual((await sweep(OVER)).result, { kept: 0, left: 0, timedOut: 0, more: false });
    assert.deepEqual(
      (await kept()).map(({ player_id, ended_at }) => [player_id, Number(ended_at)]),
      [
        ["ada", NOW + TIMEOUT_MS],
        ["bob", NOW + TIMEOUT_MS],
      ],
    );
    assert.equal((await store.current("cy", NOW + 2))?.startedAt, NOW + 1);
  });

  it("waits for reports that are on their way", async () => {
    await see(["ada"], NOW);
    assert.equal((await sweep(OVER - 1)).result.kept, 0);
    await see(["ada"], NOW + TIMEOUT_MS - 1);
    assert.equal((await sweep(OVER)).result.kept, 0);
  });

  it("shows its progress batch by batch", async () => {
    await see(names(500), NOW);
    await see(names(1100).slice(500, 1000), NOW);
    await see(names(1100).slice(1000), NOW);
    const { progress } = await sweep(OVER);
    assert.deepEqual(
      progress.map((state) => (state as { kept: number }).kept),
      [500, 1000, 1100],
    );
  });

  it("stops between batches when it is told to, and the next run goes on", async () => {
    for (const some of [names(500), names(1000).slice(500)]) await see(some, NOW);
    const abort = new AbortController();
    const job = sessionsJob({ store, history, clock: { now: () => OVER } });
    await assert.rejects(
      runJob(job, { signal: abort.signal, onProgress: () => abort.abort(new Error("given up")) }),
      /given up/,
    );
    assert.equal((await kept()).length, 500);
    assert.equal((await sweep(OVER)).result.kept, 500);
    assert.equal((await kept()).length, 1000);
  });

  it("writes nothing twice when it dies between the history and the store", async () => {
    class DyingStore extends RedisSessionStore {
      override async forget(): Promise<void> {
        throw new Error("killed");
      }
    }
    await see(names(20), NOW);
    await assert.rejects(sweep(OVER, new DyingStore(redis.client!, { timeoutMs: TIMEOUT_MS })), /killed/);
    const before = await kept();
    assert.equal(before.length, 20);
    assert.equal((await sweep(OVER)).result.kept, 20);
    assert.deepEqual(await kept(), before);
    assert.deepEqual(await store.ended(OVER, 10), []);
  });

  it("writes nothing twice when several attempts run at once", async () => {
    for (let from = 0; from < 2000; from += 500) await see(names(2000).slice(from, from + 500), NOW);
    await Promise.all(Array.from({ length: 4 }, () => sweep(OVER)));
    assert.equal((await kept()).length, 2000);
    assert.deepEqual(await store.ended(OVER, 10), []);
  });

  it("doubles nothing when Redis comes back older than it was, and keeps the longer telling", async () => {
    await see(["ada", "bob"], NOW);
    const older = await Promise.all(["{sessions}:live", "{sessions}:ends"].map((key) => redis.client!.dumpBuffer(key)));
    await sweep(OVER);
    await redis.client!.flushall();
    await redis.client!.restore("{sessions}:live", 0, older[0]!);
    await redis.client!.restore("{sessions}:ends", 0, older[1]!);
    await see(["bob"], NOW + 5);
    await sweep(OVER + 5);
    assert.deepEqual(
      (await kept()).map(({ player_id, ended_at }) => [player_id, Number(ended_at)]),
      [
        ["ada", NOW + TIMEOUT_MS],
        ["bob", NOW + 5 + TIMEOUT_MS],
      ],
    );
  });

  it("begins sessions anew after Redis has lost everything", async () => {
    await see(["ada"], NOW);
    await redis.client!.flushall();
    await see(["ada"], NOW + 7);
    await sweep(OVER + 7);
    assert.deepEqual(
      (await kept()).map(({ player_id, started_at }) => [player_id, Number(started_at)]),
      [["ada", NOW + 7]],
    );
  });

  it("makes room in a Redis that is full and refuses to note anything new", async () => {
    await see(names(500), NOW);
    await redis.client!.config("SET", "maxmemory", "1");
    try {
      await assert.rejects(see(["late"], NOW), { code: "unavailable" });
      assert.equal((await sweep(OVER)).result.kept, 500);
      assert.equal(await redis.client!.dbsize(), 0);
    } finally {
      await redis.client!.config("SET", "maxmemory", "0");
    }
  });

  it("reads nothing but what has ended, of a hundred thousand sessions", async function () {
    this.timeout(120_000);
    const [live, gone] = [100_000, 700];
    for (let at = 0; at < live; at += 500)
      await see(
        Array.from({ length: 500 }, (_, more) => `live${at + more}`),
        NOW + 1_000_000,
      );
    await see(names(500), NOW);
    await see(names(gone).slice(500), NOW);
    const memory = Number(/^used_memory:(\d+)/m.exec(await redis.client!.info("memory"))![1]);
    await redis.client!.config("RESETSTAT");
    const startedAt = performance.now();
    const { result } = await sweep(OVER);
    const ms = performance.now() - startedAt;
    assert.equal(result.kept, gone);
    const calls = await commandCalls();
    assert.equal(calls.get("hget"), gone, "sessions read");
    assert.equal(calls.get("hdel"), gone, "sessions moved");
    const scans = [...calls.keys()].filter((command) => /scan|hgetall|hvals|hkeys|keys|zrange$/.test(command));
    assert.deepEqual(scans, ["zrange"]);
    assert.equal(calls.get("zrangebyscore"), 3);
    assert.equal(await redis.client!.hlen("{sessions}:live"), live);
    console.log(
      `      ${live} live, ${gone} ended: ${ms.toFixed(0)} ms; ${Math.round(memory / (live + gone))} bytes a session`,
    );
  });

  async function commandCalls(): Promise<Map<string, number>> {
    const stats = await redis.client!.info("commandstats");
    return new Map(
      [...stats.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)].map(([, command, calls]) => [command!, Number(calls)]),
    );
  }
});

for (const [name, open] of Object.entries({
  SQLite: () => openDatabase({ kind: "sqlite", path: ":memory:" }),
  MariaDB: async () => openDatabase({ kind: "mysql", url: await migratedDatabaseUrl(), pool: 32 }),
})) {
  describe(`the history of sessions (${name})`, () => {
    let database: Database;
    let history: SessionHistory;
    before(async function () {
      this.timeout(120_000);
      database = await open();
      history = new SessionHistory(database);
    });
    after(() => database?.close());

    const session = (startedAt: number, more: Partial<EndedSession> = {}): EndedSession => ({
      ...{ playerId: "ada", startedAt, seenAt: startedAt + 1, endedAt: startedAt + 2, end: "left" },
      ...more,
    });

    it("lists a player's latest first, and nobody else's", async () => {
      await history.keep([session(NOW + 100), session(NOW), session(NOW, { playerId: "bob" })]);
      assert.deepEqual(
        (await history.of("ada")).map(({ startedAt, end }) => [startedAt, end]),
        [
          [NOW + 100, "left"],
          [NOW, "left"],
        ],
      );
      assert.deepEqual(await history.of("nobody"), []);
    });

    it("keeps one row a session, which only grows", async () => {
      const longer = session(NOW, { playerId: "cy", seenAt: NOW + 50, endedAt: NOW + 90, end: "timeout" });
      for (const telling of [session(NOW, { playerId: "cy" }), longer, session(NOW, { playerId: "cy" })])
        await history.keep([telling]);
      const { playerId: _, ...seen } = longer;
      assert.deepEqual(await history.of("cy"), [seen]);
      await history.keep([]);
    });
  });
}
