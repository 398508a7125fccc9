import assert from "node:assert/strict";
import { defineJob } from "../../src/schedulers/runtime/defineJob.ts";
import { type Definition, JobCluster } from "./simulatedJobs.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

describe("a job that owes something (simulated cluster)", () => {
  let cluster: JobCluster;

  beforeEach(async () => {
    cluster = await JobCluster.open();
  });

  afterEach(() => cluster.close());

  const job = (definition: Partial<Definition> = {}): Definition => ({
    name: "pay",
    schedule: { cron: "0 0 * * 1" },
    owes: true,
    retries: 3,
    run: async () => "paid",
    ...definition,
  });

  const told = async () => (await cluster.feed.read("jobs", undefined)).events.map(({ type }) => type);

  it("goes on trying when its retries are used up, at the latest after as long again as it has failed, and is done", async () => {
    let lockedUntil = Number.POSITIVE_INFINITY;
    const run = async (): Promise<string> => {
      if (cluster.clock.now() < lockedUntil) throw new Error("the row is locked");
      return "paid";
    };
    const node = await cluster.start("a", [job({ run })]);
    const { scheduledAt } = await cluster.within(1000, node.jobs.trigger("pay"));
    lockedUntil = scheduledAt + 25_000;
    await cluster.clock.advance(MINUTE_MS);
    const [run1, ...others] = await cluster.runs();
    assert.deepEqual(others, []);
    assert.deepEqual([run1!.scheduledAt, run1!.outcome, run1!.result], [scheduledAt, "succeeded", "paid"]);
  });

  it("says so at each attempt beyond its retries: to operators, in the log and in the metrics", async () => {
    const run = async (): Promise<never> => {
      throw new Error("the row is locked");
    };
    const node = await cluster.start("a", [job({ run, retries: 1 })]);
    await cluster.within(1000, node.jobs.trigger("pay"));
    await cluster.clock.advance(10_000);
    const [run1] = await cluster.runs();
    assert.deepEqual([run1!.outcome, run1!.error], ["retrying", "the row is locked"]);
    assert.deepEqual((await told()).slice(0, 3), ["failed", "overdue", "overdue"]);
    const overdue = (await told()).filter((type) => type === "overdue").length;
    assert.deepEqual(node.overdue, Array(overdue).fill("pay"));
    assert.equal(node.complaints.filter((text) => /^a run that owes something fails/.test(text)).length, overdue);
  });

  it("is tried at least once an hour, however long it fails", async () => {
    let attempts = 0;
    const run = async (): Promise<never> => {
      attempts += 1;
      throw new Error("no luck");
    };
    const node = await cluster.start("a", [job({ run })]);
    await cluster.within(1000, node.jobs.trigger("pay"));
    // The clock's leaps stand for what nobody has to watch: a timer fires once it is due by the wall clock.
    for (let hours = 0; hours < 20; hours++) {
      const before = attempts;
      cluster.clock.wallOffset += HOUR_MS;
      await cluster.clock.advance(3000);
      assert.ok(attempts > before, `after ${hours} hours and ${attempts} attempts`);
    }
    assert.equal((await cluster.runs())[0]!.outcome, "retrying");
  });

  for (const [what, byHand] of [
    ["the next due time", false],
    ["an operator's trigger", true],
  ] as const)
    it(`is made good by ${what}, which waits for no retry`, async () => {
      let isLocked = true;
      const run = async (): Promise<string> => {
        if (isLocked) throw new Error("the row is locked");
        return "paid";
      };
      const node = await cluster.start("a", [job({ run, schedule: { cron: "*/10 * * * *" }, retries: 0 })]);
      await cluster.advanceTo(10 * MINUTE_MS, 9 * MINUTE_MS);
      const [first] = await cluster.runs();
      assert.equal(first!.outcome, "retrying");
      isLocked = false;
      if (byHand) await cluster.within(1000, node.jobs.trigger("pay"));
      else await cluster.advanceTo(10 * MINUTE_MS);
      await cluster.clock.advance(1000);
      const [dead, second] = await cluster.runs();
      assert.deepEqual(
        [dead!.scheduledAt, dead!.outcome, dead!.error],
        [first!.scheduledAt, "dead", "the row is locked"],
      );
      assert.deepEqual([second!.outcome, second!.attempt], ["succeeded", 1]);
      assert.equal((await told()).at(-1), "dead");
    });

  it("skips no due time for a run that goes on: it follows", async () => {
    const ends: Array<() => void> = [];
    const run = () => new Promise<string>((resolve) => ends.push(() => resolve("paid")));
    await cluster.start("a", [job({ run, schedule: { cron: "*/1 * * * *" } })]);
    await cluster.advanceTo(MINUTE_MS, 1000);
    await cluster.advanceTo(MINUTE_MS, 1000);
    assert.deepEqual(
      (await cluster.runs()).map(({ outcome }) => outcome),
      ["running", "queued"],
    );
    ends[0]!();
    await cluster.clock.advance(1000);
    assert.deepEqual(
      (await cluster.runs()).map(({ outcome }) => outcome),
      ["succeeded", "running"],
    );
  });

  it("cannot be defined to skip due times", () => {
    const { run: _, ...rest } = job();
    assert.throws(
      () => defineJob({ ...rest, overlap: "skip", run: async () => {} }),
      /^Error: job pay: a job that owes something skips no due time/,
    );
  });
});
