import assert from "node:assert/strict";
import { enablingVariable } from "../../src/schedulers/runtime/defineJob.ts";
import { JobActor } from "../../src/schedulers/runtime/JobActor.ts";
import { type Definition, JobCluster, lasting } from "./simulatedJobs.ts";

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
  const timersOf = async (id: string): Promise<string[]> => {
    const [row] = await cluster.database.query<{ timers: string }>("SELECT timers FROM actors WHERE id = ?", [id]);
    return (JSON.parse(row!.timers) as Array<{ name: string }>).map(({ name }) => name);
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
    assert.deepEqual(await timersOf("tick"), []);
    const [{ version }] = (await cluster.database.query("SELECT version FROM actors WHERE id = 'tick'")) as [
      { version: number },
    ];
    await cluster.clock.advance(60_000);
    const [later] = await cluster.database.query<{ version: number }>("SELECT version FROM actors WHERE id = 'tick'");
    assert.equal(later!.version, version, "nothing turns for it");
    assert.deepEqual(
      (await without.jobs.status()).jobs.map(({ name }) => name),
      ["other"],
    );
    const before = (await times()).length;
    await cluster.start("c", [every(1000, { missed: "coalesce" }), every(1000, { name: "other" })]);
    await cluster.within(1000, without.node.actors.drain());
    await cluster.start("d", [every(1000, { missed: "coalesce" }), every(1000, { name: "other" })]);
    await cluster.clock.advance(3000);
    assert.ok((await times()).length > before + 1);
  });

  it("that are new run even when their actor first lives on a node of the old version", async () => {
    const old = await cluster.start("old", [every(1000, { name: "other" })]);
    await cluster.clock.advance(600);
    const fresh = [every(1000), every(1000, { name: "other" })];
    for (const id of ["n1", "n2", "n3"]) await cluster.start(id, fresh);
    await cluster.clock.advance(3000);
    await cluster.within(2000, old.node.actors.drain());
    await cluster.start("n4", fresh);
    await cluster.clock.advance(5000);
    assert.ok((await times()).length >= 3);
  });

  it("that are new and rest on a node of the old version go on within a minute of leaving it", async () => {
    const old = await cluster.start("old", [every(1000, { name: "other" })]);
    await cluster.clock.advance(600);
    await cluster.within(1000, old.node.actors.ref(JobActor, "tick").look());
    await cluster.start("new", [every(1000), every(1000, { name: "other" })]);
    await cluster.clock.advance(3000);
    assert.deepEqual([await times(), await timersOf("tick")], [[], []]);
    await cluster.within(2000, old.node.actors.drain());
    await cluster.clock.advance(60_000);
    assert.ok((await times()).length > 0);
  });

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
