import assert from "node:assert/strict";
import { type Definition, JobCluster, type JobNode, lasting } from "./simulatedJobs.ts";

describe("what operators do with jobs (simulated cluster)", () => {
  let cluster: JobCluster;
  let nodes: JobNode[];

  const tick: Definition = { name: "tick", schedule: { everyMs: 1000 }, missed: "fire", run: async () => "ok" };
  const slow: Definition = { name: "slow", schedule: { cron: "0 0 1 1 *" }, run: lasting(2000) };

  beforeEach(async () => {
    cluster = await JobCluster.open();
    nodes = [await cluster.start("a", [tick, slow]), await cluster.start("b", [tick, slow])];
    await cluster.clock.advance(600);
  });

  afterEach(() => cluster.close());

  const outcomes = async (job: string): Promise<string[]> => (await cluster.runs(job)).map(({ outcome }) => outcome);
  const summary = async (job: string) => (await nodes[1]!.jobs.status()).jobs.find(({ name }) => name === job)!;

  it("a paused job's due times pass, also after its node has died, until it is resumed", async () => {
    await cluster.within(1000, nodes[0]!.jobs.pause("tick"));
    const before = (await outcomes("tick")).length;
    await cluster.advanceTo(1000, 2500);
    assert.deepEqual((await outcomes("tick")).slice(before), ["skipped", "skipped", "skipped"]);
    assert.equal((await cluster.runs("tick")).at(-1)!.error, "paused");
    assert.equal((await summary("tick")).paused, true);
    await nodes[0]!.crash();
    await cluster.clock.advance(6000);
    assert.ok((await outcomes("tick")).slice(before).every((outcome) => outcome === "skipped"));
    await cluster.within(1000, nodes[1]!.jobs.resume("tick"));
    const paused = (await outcomes("tick")).length;
    await cluster.advanceTo(1000, 1500);
    assert.ok((await outcomes("tick")).slice(paused).every((outcome) => outcome === "succeeded"));
    assert.equal((await summary("tick")).paused, false);
  });

  it("a run by hand runs at once on whichever node owns the job, also while it is paused", async () => {
    await cluster.within(1000, nodes[0]!.jobs.pause("slow"));
    const { scheduledAt } = await cluster.within(1000, nodes[1]!.jobs.trigger("slow"));
    await cluster.clock.advance(2500);
    const [run] = await cluster.runs("slow");
    assert.deepEqual([run!.scheduledAt, run!.outcome, run!.byHand], [scheduledAt, "succeeded", true]);
    assert.ok(run!.latenessMs! < 50);
  });

  it("a repeated request is the same run", async () => {
    const first = await cluster.within(1000, nodes[0]!.jobs.trigger("slow", { requestId: "key-1" }));
    const again = await cluster.within(1000, nodes[1]!.jobs.trigger("slow", { requestId: "key-1" }));
    const another = await cluster.within(1000, nodes[1]!.jobs.trigger("slow", { requestId: "key-2" }));
    assert.deepEqual(again, first);
    assert.notDeepEqual(another, first);
    await cluster.clock.advance(6000);
    assert.deepEqual(await outcomes("slow"), ["succeeded", "succeeded"]);
  });

  it("runs by hand wait for the running one, one after the other, each with a time of its own", async () => {
    const answers = await cluster.within(
      2000,
      Promise.all(Array.from({ length: 5 }, () => nodes[0]!.jobs.trigger("slow"))),
    );
    assert.equal(new Set(answers.map(({ scheduledAt }) => scheduledAt)).size, 5);
    await cluster.clock.advance(500);
    assert.deepEqual((await outcomes("slow")).sort(), ["queued", "queued", "queued", "queued", "running"]);
    await cluster.clock.advance(11_000);
    assert.deepEqual(await outcomes("slow"), Array(5).fill("succeeded"));
  });

  it("a storm of requests is bounded, and told so", async () => {
    const calls = Array.from({ length: 300 }, () =>
      nodes[0]!.jobs.trigger("slow").then(
        () => "accepted",
        (error: { code: string }) => error.code,
      ),
    );
    const answers = await cluster.within(5000, Promise.all(calls));
    const counts = Object.groupBy(answers, (answer) => answer);
    assert.equal(counts.accepted!.length, 201);
    assert.equal(counts.overloaded!.length, 99);
  });

  it("a run by hand takes no due time's place", async () => {
    await cluster.advanceTo(1000, 600);
    const owner = nodes.find(({ id }) => id === cluster.lived.at(-1)!.node)!;
    // The clock is set to the very millisecond of the due time; the timer has not noticed yet.
    cluster.clock.wallOffset = 400;
    assert.equal(cluster.clock.now() % 1000, 0);
    await cluster.within(1000, owner.jobs.trigger("tick"));
    await cluster.clock.advance(3000);
    const runs = await cluster.runs("tick");
    const due = runs.filter(({ byHand }) => !byHand).map(({ scheduledAt }) => scheduledAt);
    assert.deepEqual(
      due,
      due.map((_, at) => due[0]! + at * 1000),
    );
    assert.equal(runs.length, due.length + 1);
    assert.equal(new Set(cluster.lived.map(({ scheduledAt }) => scheduledAt)).size, cluster.lived.length);
  });

  it("the next run is skipped, once, however often that is said", async () => {
    await cluster.advanceTo(1000, 100);
    const first = await cluster.within(200, nodes[0]!.jobs.skipNext("tick"));
    assert.equal((await summary("tick")).skipAt, first.skipped);
    assert.deepEqual(await cluster.within(200, nodes[1]!.jobs.skipNext("tick")), first);
    const before = (await outcomes("tick")).length;
    await cluster.advanceTo(1000, 2500);
    assert.deepEqual((await outcomes("tick")).slice(before), ["skipped", "succeeded", "succeeded"]);
    const skipped = (await cluster.runs("tick"))[before]!;
    assert.deepEqual([skipped.scheduledAt, skipped.error], [first.skipped, "skipped by an operator"]);
    assert.equal((await summary("tick")).skipAt, null);
  });

  it("a job that is not there is not found", async () => {
    await assert.rejects(async () => nodes[0]!.jobs.trigger("tock"), { code: "not_found" });
    await assert.rejects(async () => nodes[0]!.jobs.pause("tock"), { code: "not_found" });
    await assert.rejects(async () => nodes[0]!.jobs.resume("tock"), { code: "not_found" });
    await assert.rejects(async () => nodes[0]!.jobs.skipNext("tock"), { code: "not_found" });
    await assert.rejects(async () => nodes[0]!.jobs.history(20, "tock"), { code: "not_found" });
  });

  it("a job without a run has an empty history, and one that the node asked does not know has what it left", async () => {
    assert.deepEqual(await nodes[0]!.jobs.history(20, "slow"), []);
    await cluster.within(1000, nodes[0]!.jobs.trigger("slow"));
    await cluster.clock.advance(3000);
    const later = await cluster.start("c", [tick]);
    await cluster.clock.advance(600);
    assert.deepEqual(
      (await later.jobs.history(20, "slow")).map(({ job }) => job),
      ["slow"],
    );
    await assert.rejects(async () => later.jobs.history(20, "tock"), { code: "not_found" });
  });

  it("the history is newest first, as long as asked for, of one job or of all", async () => {
    await cluster.within(1000, nodes[0]!.jobs.trigger("slow"));
    await cluster.clock.advance(5000);
    const all = await nodes[0]!.jobs.history(3);
    assert.equal(all.length, 3);
    assert.ok(all[0]!.scheduledAt >= all[1]!.scheduledAt && all[1]!.scheduledAt >= all[2]!.scheduledAt);
    assert.deepEqual(
      (await nodes[0]!.jobs.history(20, "slow")).map(({ job }) => job),
      ["slow"],
    );
  });

  it("a job whose actor is in quarantine shows it, and is resumed", async () => {
    await cluster.advanceTo(1000, 1500);
    const owner = nodes.find(({ id }) => id === cluster.lived.at(-1)!.node)!;
    await owner.crash();
    await cluster.database.write("UPDATE actors SET crashes = 100, owner = 'nobody' WHERE id = 'tick'");
    const other = nodes.find((node) => node !== owner)!;
    await cluster.clock.advance(8000);
    const tickOf = async () => (await other.jobs.status()).jobs.find(({ name }) => name === "tick")!;
    assert.equal((await tickOf()).quarantined, true);
    const before = (await outcomes("tick")).length;
    await cluster.within(10_000, other.jobs.resume("tick"));
    await cluster.clock.advance(3000);
    assert.equal((await tickOf()).quarantined, false);
    assert.ok((await outcomes("tick")).length > before);
  });
});
