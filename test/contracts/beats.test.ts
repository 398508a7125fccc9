import assert from "node:assert/strict";
import type { Redis } from "ioredis";
import type { BeatAnswer, NodeInfo, Revision } from "../../src/actors/runtime/ports.ts";
import { RedisBus } from "../../src/actors/runtime/RedisBus.ts";
import { connectRedis, whenReady } from "../../src/stores/runtime/redis.ts";
import { silentLog } from "../actors/simulation.ts";
import { freshRedisUrl } from "../support/servers.ts";

/** Above any pause between two beats of a test. */
const NEVER_QUIET_MS = 60_000;

describe("beats (Redis)", function () {
  this.timeout(60_000);
  let redis: Redis;
  let bus: RedisBus;
  let count: number;

  before(async () => {
    redis = connectRedis(await freshRedisUrl(), "beats");
    await whenReady(redis);
    bus = new RedisBus(redis, silentLog);
  });
  beforeEach(async () => {
    await redis.flushall();
    count = 0;
  });
  after(async () => {
    await bus.close();
    redis.disconnect();
  });

  const info = (id: string, more: Partial<NodeInfo> = {}): NodeInfo => ({ id, role: "all", ...more });
  const beat = (
    of: NodeInfo,
    known?: Revision,
    more: { isNews?: boolean; quietMs?: number } = {},
  ): Promise<BeatAnswer> => bus.beat(of, ++count, { isNews: false, quietMs: NEVER_QUIET_MS, known, ...more });
  const ids = (list: ReadonlyArray<{ id: string }>): string[] => list.map(({ id }) => id).toSorted();

  it("bring all nodes at first, and then what has changed alone", async () => {
    await beat(info("a"));
    const first = await beat(info("b"));
    assert.deepEqual([first.isWhole, ids(first.infos), first.size], [true, ["a", "b"], 2]);
    const same = await beat(info("b"), first.revision);
    assert.deepEqual([same.isWhole, same.infos, same.left, same.quiet], [false, [], [], []]);
    await beat(info("a", { draining: true }), undefined, { isNews: true });
    await beat(info("c"));
    const changed = await beat(info("b"), same.revision);
    assert.deepEqual([changed.isWhole, ids(changed.infos), changed.size], [false, ["a", "c"], 3]);
    assert.equal(changed.infos.find(({ id }) => id === "a")?.draining, true);
    assert.ok(Math.abs(changed.at! - Date.now()) < 5000);
  });

  it("tell who has left", async () => {
    await beat(info("a"));
    const { revision } = await beat(info("b"));
    await bus.remove(["a", "never heard of"]);
    const pulse = await beat(info("b"), revision);
    assert.deepEqual([pulse.isWhole, pulse.left, pulse.infos, pulse.size], [false, ["a"], [], 1]);
  });

  it("name those whose latest beat is old, by its time, until they beat again", async () => {
    await beat(info("a"));
    await redis.zadd("ringmaster:beats", Date.now() - 5000, "a");
    const { revision, quiet } = await beat(info("b"), undefined, { quietMs: 1000 });
    assert.deepEqual(ids(quiet), ["a"]);
    assert.ok(quiet[0]!.silentMs >= 4000 && quiet[0]!.silentMs < 60_000);
    const again = await beat(info("b"), revision, { quietMs: 1000 });
    assert.equal(again.quiet[0]!.mark, quiet[0]!.mark);
    await beat(info("a"));
    assert.deepEqual((await beat(info("b"), revision, { quietMs: 1000 })).quiet, []);
  });

  it("name also those that beat before the server's clock was set back", async () => {
    await beat(info("a"));
    await redis.zadd("ringmaster:beats", Date.now() + 3_600_000, "a");
    assert.deepEqual(ids((await beat(info("b"))).quiet), ["a"]);
  });

  it("bring all nodes when the server has lost its memory, or is older than it was", async () => {
    await beat(info("a"));
    const { revision } = await beat(info("b"));
    assert.equal((await beat(info("b"), { ...revision, number: revision.number + 1 })).isWhole, true);
    await redis.flushall();
    await beat(info("a"));
    const after = await beat(info("b"), revision);
    assert.deepEqual([after.isWhole, ids(after.infos)], [true, ["a", "b"]]);
    assert.notEqual(after.revision.era, revision.era);
  });

  it("are heard by nodes of the version before, and hear them", async () => {
    await beat(info("new"));
    const theirs = { info: info("old"), count: 7 };
    await redis.hset("ringmaster:nodes", "old", JSON.stringify(theirs));
    const { revision } = await beat(info("new"));
    const first = await beat(info("new"), revision);
    assert.deepEqual([first.isWhole, ids(first.infos)], [true, ["new", "old"]]);
    assert.deepEqual(first.quiet, [{ id: "old", mark: 7, silentMs: 0 }]);
    await redis.hset("ringmaster:nodes", "old", JSON.stringify({ ...theirs, count: 8 }));
    assert.equal((await beat(info("new"), first.revision)).quiet[0]!.mark, 8);
    const ours = JSON.parse((await redis.hget("ringmaster:nodes", "new"))!) as { count: number };
    assert.equal(ours.count, count);
  });
});
