import assert from "node:assert/strict";
import { enablingVariable } from "../../src/schedulers/runtime/defineJob.ts";
import { JobActor } from "../../src/schedulers/runtime/JobActor.ts";
import { type Definition, JobCluster, lasting } from "./simulatedJobs.ts";

const MINUTE_MS = 60_000;

describe("jobs while versions and settings change (simulated cluster)", () => {
  let cluster: JobCluster;

  beforeEach(async () => {
    cluster = await JobCluster.open();
  });

  afterEach(() => cluster.close());

  const every = (everyMs: number, definition: Partial<Definition> = {}): Definition => ({
    name: "tick",
    schedule: { everyMs },
    run: async () => "ok",
    ...definition,
  });
  const times = async (): Promise<number[]> => (await cluster.runs("tick")).map(({ scheduledAt }) => scheduledAt);
  const actorOf = async (id: string): Promise<{ owner: string | null; epoch: number; version: number }> => {
    const rows = await cluster.database.query<{ owner: string | null; epoch: number; version: number }>(
      "SELECT owner, epoch, version FROM actors WHERE id = ?",
      [id],
    );
    return rows[0]!;
  };

  it("run once each when many nodes start at the same moment", async () => {
    const names = ["one", "two", "three"];
    const definitions = names.map((name) => every(1000, { name, missed: "fire" }));
    await Promise.all(["a", "b", "c", "d"].map((id) => cluster.start(id, definitions)));
    await cluster.clock.advance(10_000);
    for (const name of names) {
      const runs = await cluster.runs(name);
      assert.ok(runs.length >= 9);
      assert.ok(runs.every(({ attempt, outcome }) => attempt === 1 && outcome === "succeeded"));
    }
    assert.equal(
      new Set(cluster.lived.map(({ job, scheduledAt }) => `${job} ${scheduledAt}`)).size,
      cluster.lived.length,
    );
  });

  it("follow a new schedule at once, though their actor lives on a node that has the old one", async () => {
    await cluster.start("old", [every(3_600_000)]);
    await cluster.start("new", [every(2000)]);
    await cluster.clock.advance(9000);
    assert.ok((await times()).length >= 4);
    assert.ok(cluster.lived.every(({ node }) => node === "old"));
  });

  it("keep their next time over a restart that changes nothing", async () => {
    const jittered = every(60_000, { schedule: { everyMs: 60_000, jitterMs: 20_000 } });
    const node = await cluster.start("a", [jittered]);
    const { nextRunAt } = (await node.jobs.status()).jobs[0]!;
    await node.crash();
    await cluster.clock.advance(5000);
    const next = await cluster.start("b", [jittered]);
    assert.equal((await next.jobs.status()).jobs[0]!.nextRunAt, nextRunAt);
  });

  it("do not repeat a due time when the clock of the node that brings a new schedule is behind", async () => {
    const node = await cluster.start("a", [every(1000)]);
    await cluster.clock.advance(5500);
    await cluster.within(1000, node.node.actors.drain());
    const before = await times();
    cluster.clock.wallOffset = -3000;
    await cluster.start("b", [every(500)]);
    await cluster.clock.advance(5000);
    const after = await times();
    assert.deepEqual(
      before.filter((time) => !after.includes(time)),
      [],
    );
    assert.ok(after.length > before.length + 5);
    assert.equal(new Set(cluster.lived.map(({ scheduledAt }) => scheduledAt)).size, cluster.lived.length);
  });

  it("make up for what was missed under the old schedule before they follow the new one", async () => {
    const node = await cluster.start("a", [every(60_000)]);
    const { nextRunAt } = (await node.jobs.status()).jobs[0]!;
    await node.crash();
    await cluster.clock.advance(90_000);
    const next = await cluster.start("b", [every(3_600_000)]);
    await cluster.clock.advance(6000);
    assert.deepEqual(await times(), [nextRunAt]);
    assert.equal((await next.jobs.status()).jobs[0]!.nextRunAt! % 3_600_000, 0);
  });

  it("that are no more rest without a sound, and come back with what they missed", async () => {
    const node = await cluster.start("a", [every(1000, { missed: "coalesce" }), every(1000, { name: "other" })]);
    await cluster.clock.advance(2500);
    await node.crash();
    const without = await cluster.start("b", [every(1000, { name: "other" })]);
    await cluster.clock.advance(10_000);
    const resting = await actorOf("tick");
    await cluster.clock.advance(60_000);
    assert.equal(resting.owner, null);
    assert.deepEqual(await actorOf("tick"), resting, "nothing turns for it");
    assert.deepEqual(
      (await without.jobs.status()).jobs.map(({ name }) => name),
      ["other"],
    );
    const before = (await times()).length;
    await cluster.start("c", [every(1000, { missed: "coalesce" }), every(1000, { name: "other" })]);
    await cluster.clock.advance(3000);
    assert.ok((await times()).length > before + 1);
  });

  it("that are new run on the nodes that know them at once, though most are of the old version", async () => {
    for (const id of ["o1", "o2", "o3", "o4"]) await cluster.start(id, [every(1000, { name: "other" })]);
    await cluster.clock.advance(600);
    const names = Array.from({ length: 8 }, (_, at) => `new${at}`);
    await cluster.start("new", [every(1000, { name: "other" }), ...names.map((name) => every(1000, { name }))]);
    await cluster.clock.advance(4000);
    for (const name of names) {
      const lived = cluster.lived.filter(({ job }) => job === name);
      assert.ok(lived.length >= 3, `${name} ran ${lived.length} times`);
      assert.ok(lived.every(({ node }) => node === "new"));
    }
  });

  it("that are new have no actor on a node of the old version, also when that is asked for it", async () => {
    const old = await cluster.start("old", [every(1000, { name: "other" })]);
    await cluster.clock.advance(600);
    const look = old.node.actors.ref(JobActor, "tick").look();
    await assert.rejects(cluster.within(15_000, look), { code: "not_delivered" });
    assert.equal(await actorOf("tick"), undefined);
  });

  for (const survivors of [1, 2]) {
    it(`go on at their next due time when the node they ran on dies, and of the others ${survivors} and not all know them`, async () => {
      const names = Array.from({ length: 8 }, (_, at) => `job${at}`);
      const jobs = names.map((name) => every(5 * MINUTE_MS, { name }));
      for (const id of ["old1", "old2"]) await cluster.start(id, []);
      const first = await cluster.start("new0", jobs);
      for (let at = 1; at <= survivors; at++) await cluster.start(`new${at}`, jobs);
      await cluster.advanceTo(5 * MINUTE_MS, 2000);
      await first.crash();
      await cluster.advanceTo(5 * MINUTE_MS, 5000);
      const due = cluster.clock.now() - 5000;
      for (const name of names) {
        const { scheduledAt, outcome, node } = (await cluster.runs(name)).at(-1)!;
        assert.deepEqual([scheduledAt, outcome], [due, "succeeded"], name);
        assert.match(node!, /^new/);
      }
    });

    it(`run on when nodes that know them come back, ${survivors} beside old ones that live on, and do not change nodes again`, async () => {
      const names = Array.from({ length: 8 }, (_, at) => `job${at}`);
      const jobs = names.map((name) => every(5 * MINUTE_MS, { name }));
      for (const id of ["old1", "old2"]) await cluster.start(id, []);
      const first = await cluster.start("gone", jobs);
      await cluster.advanceTo(5 * MINUTE_MS, 2000);
      await first.crash();
      await cluster.advanceTo(5 * MINUTE_MS, 20_000);
      for (let at = 1; at <= survivors; at++) await cluster.start(`new${at}`, jobs);
      await cluster.clock.advance(5000);
      const settled = await Promise.all(names.map(actorOf));
      const since = cluster.lived.length;
      await cluster.clock.advance(10 * MINUTE_MS);
      for (const [at, name] of names.entries()) {
        const { owner, epoch } = await actorOf(name);
        assert.deepEqual({ owner, epoch }, { owner: settled[at]!.owner, epoch: settled[at]!.epoch }, name);
        assert.match(String(owner), /^new/);
        assert.equal(cluster.lived.slice(since).filter(({ job }) => job === name).length, 2, name);
      }
    });
  }

  it("that run while their definition disappears are not begun by a node that lacks it", async () => {
    const long = every(3_600_000, { run: lasting(5000) });
    const node = await cluster.start("a", [long]);
    await cluster.start("b", []);
    await cluster.within(1000, node.jobs.trigger("tick"));
    await cluster.clock.advance(1000);
    await node.crash();
    await cluster.clock.advance(10_000);
    assert.deepEqual(
      cluster.lived.map(({ attempt }) => attempt),
      [1],
    );
    await cluster.start("c", [long]);
    const b = cluster.nodes[1]!;
    await b.crash();
    await cluster.clock.advance(20_000);
    assert.equal((await cluster.runs())[0]!.outcome, "succeeded");
  });

  it("are disabled and enabled by their variable", async () => {
    const off = new Map([[enablingVariable("tick"), false]]);
    const node = await cluster.start("a", [every(1000)], off);
    await cluster.clock.advance(3000);
    assert.deepEqual(await times(), []);
    const { enabled, nextRunAt } = (await node.jobs.status()).jobs[0]!;
    assert.deepEqual({ enabled, nextRunAt }, { enabled: false, nextRunAt: null });
    await cluster.within(1000, node.jobs.trigger("tick"));
    await cluster.clock.advance(200);
    assert.equal((await cluster.runs("tick"))[0]!.byHand, true);
    await cluster.within(1000, node.node.actors.drain());
    await cluster.start("b", [every(1000)]);
    await cluster.clock.advance(3000);
    assert.ok((await times()).length >= 3);
  });

  it("that their definition disables are enabled by their variable", async () => {
    const on = new Map([[enablingVariable("tick"), true]]);
    await cluster.start("a", [every(1000, { enabled: false })], on);
    await cluster.clock.advance(3000);
    assert.ok((await times()).length >= 2);
  });

  it("of which one is in quarantine keep no node from starting, nor the other jobs", async () => {
    await cluster.database.write(
      `INSERT INTO actors (kind, id, owner, epoch, version, state, timers, due_at, crashes, created_at, updated_at)
       VALUES ('job', 'tick', 'gone', 1, 0, '{}', '[]', NULL, 100, 0, 0)`,
    );
    await cluster.database.write(
      `INSERT INTO jobs (name, schedule, timezone, enabled, paused, quarantined, runs, successes, failures)
       VALUES ('tick', 'x', 'UTC', 1, 0, 0, 0, 0, 0)`,
    );
    const node = await cluster.start("a", [every(1000), every(1000, { name: "other" })]);
    await cluster.clock.advance(3000);
    assert.ok((await cluster.runs("other")).length >= 2);
    assert.equal((await node.jobs.status()).jobs.find(({ name }) => name === "tick")!.quarantined, true);
  });
});
