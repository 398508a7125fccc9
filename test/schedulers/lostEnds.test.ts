import assert from "node:assert/strict";
import { JobHistory } from "../../src/entities/jobs/Job.ts";
import { JobCluster, type JobNode, lasting } from "./simulatedJobs.ts";

const MINUTE_MS = 60_000;
/** The actor of a running job looks this long after the run began whether it is still there. */
const SUPERVISE_MS = 1000;

describe("runs whose end cannot be stored at once (simulated cluster)", () => {
  let cluster: JobCluster;

  beforeEach(async () => {
    cluster = await JobCluster.open();
  });

  afterEach(() => cluster.close());

  /** One run goes on, and ends shortly before its actor looks after it; a second one waits behind it. */
  async function twoRuns(): Promise<JobNode> {
    const run = lasting(SUPERVISE_MS - 50);
    const node = await cluster.start("a", [{ name: "work", schedule: { cron: "0 0 1 1 *" }, run }]);
    await cluster.clock.advance(600);
    for (let count = 0; count < 2; count += 1) await cluster.within(2000, node.jobs.trigger("work"));
    return node;
  }

  /** From the first time that the end of the first run is to be stored, the connection is lost for `ms` at each `statement`. */
  function loseEnds(node: JobNode, statement: RegExp, when: "before" | "after", ms: number): void {
    let since: number | undefined;
    node.life.onOperation = (now, sql) => {
      if (now !== when || !cluster.lived[0]!.ended || !statement.test(sql)) return undefined;
      since ??= cluster.clock.now();
      return cluster.clock.now() < since + ms ? "lose connection" : undefined;
    };
  }

  /** Both runs succeeded, the attempts lived through were these, and no node was taken for dead. */
  async function assertLived(...expected: ReadonlyArray<readonly [run: number, attempt: number]>): Promise<void> {
    const runs = await cluster.runs();
    const times = runs.map(({ scheduledAt }) => scheduledAt);
    assert.deepEqual(
      cluster.lived.map(({ scheduledAt, attempt }) => [times.indexOf(scheduledAt) + 1, attempt]),
      expected,
    );
    assert.deepEqual(
      runs.map(({ outcome }) => outcome),
      ["succeeded", "succeeded"],
    );
    assert.deepEqual((await cluster.feed.read("jobs", undefined)).events, []);
  }

  for (const [what, ms] of [
    ["the connection is lost once", 1],
    ["the database is away for 3 s", 3000],
  ] as const) {
    it(`are not begun again though the next one was about to begin: ${what}`, async () => {
      const node = await twoRuns();
      loseEnds(node, /^UPDATE job_runs/, "before", ms);
      await cluster.clock.advance(10_000);
      await assertLived([1, 1], [2, 1]);
    });
  }

  it("are not begun again when the commit fails and nobody knows whether it did", async () => {
    const node = await twoRuns();
    loseEnds(node, /^COMMIT/, "before", 1);
    await cluster.clock.advance(10_000);
    await assertLived([1, 1], [2, 1]);
  });

  it("have the next one begin when nobody knows whether the commit succeeded, and no node has died of that", async () => {
    const node = await twoRuns();
    loseEnds(node, /^COMMIT/, "after", 1);
    await cluster.clock.advance(10_000);
    await assertLived([1, 1], [2, 2]);
  });

  it("are begun again when they could not be stored for long, and no node has died of that", async () => {
    const node = await twoRuns();
    loseEnds(node, /^COMMIT/, "before", 3000);
    await cluster.clock.advance(15_000);
    await assertLived([1, 1], [1, 2], [2, 1]);
  });

  it("are tried ever more seldom where the turn itself fails, are shown with the reason, and are stored in the end", async () => {
    await cluster.database.write(
      `CREATE TRIGGER refused BEFORE UPDATE ON job_runs WHEN NEW.outcome = 'succeeded'
       BEGIN SELECT RAISE(ABORT, 'as asked'); END`,
    );
    const node = await twoRuns();
    await cluster.clock.advance(10_000);
    const [shown] = await new JobHistory(cluster.database).jobs();
    assert.deepEqual([shown!.runningOn, shown!.lastRun?.outcome], ["a", "running"]);
    assert.match(shown!.lastRun!.error!, /^its end cannot be stored: internal/);
    await cluster.clock.advance(10 * MINUTE_MS);
    const early = node.endFailures.length;
    await cluster.clock.advance(6 * MINUTE_MS);
    assert.ok(early > 3 && early < 10, `${early} tries shown in ten minutes`);
    assert.ok(node.endFailures.length - early <= 1, `${node.endFailures.length - early} in six further ones`);
    await cluster.database.write("DROP TRIGGER refused");
    await cluster.clock.advance(13 * MINUTE_MS);
    await assertLived([1, 1], [2, 1]);
    assert.deepEqual(
      (await cluster.runs()).map(({ error }) => error),
      [null, null],
    );
  });

  it("are stored within minutes after a long outage, which puts nothing off for long", async () => {
    const node = await twoRuns();
    loseEnds(node, /./, "before", 15 * MINUTE_MS);
    await cluster.clock.advance(18 * MINUTE_MS);
    const [first] = await cluster.runs();
    assert.equal(first!.outcome, "succeeded");
  });
});
