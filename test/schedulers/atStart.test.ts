import assert from "node:assert/strict";
import { enablingVariable } from "../../src/schedulers/runtime/defineJob.ts";
import { type Definition, JobCluster, lasting } from "./simulatedJobs.ts";

const HOUR_MS = 3_600_000;

describe("a job that also runs when a node starts (simulated cluster)", () => {
  let cluster: JobCluster;

  beforeEach(async () => {
    cluster = await JobCluster.open();
  });

  afterEach(() => cluster.close());

  const job = (definition: Partial<Definition> = {}): Definition[] => [
    { name: "hourly", schedule: { everyMs: HOUR_MS }, atStart: true, run: async () => "ok", ...definition },
  ];
  const outcomes = async (): Promise<string[]> => (await cluster.runs("hourly")).map(({ outcome }) => outcome);

  it("runs at once, and at its due times", async () => {
    await cluster.start("a", job());
    await cluster.clock.advance(500);
    const [run] = await cluster.runs("hourly");
    assert.deepEqual([run!.outcome, run!.byHand, run!.attempt], ["succeeded", false, 1]);
    await cluster.advanceTo(HOUR_MS, 500);
    assert.deepEqual(await outcomes(), ["succeeded", "succeeded"]);
  });

  it("runs again when another node starts, but not while a run goes on", async () => {
    await cluster.start("a", job({ run: lasting(60_000) }));
    await cluster.start("b", job({ run: lasting(60_000) }));
    assert.deepEqual(await outcomes(), ["running"]);
    await cluster.clock.advance(70_000);
    await cluster.start("c", job());
    await cluster.clock.advance(70_000);
    assert.deepEqual(await outcomes(), ["succeeded", "succeeded"]);
  });

  it("rests at the start of a node while it is paused or disabled", async () => {
    const off = new Map([[enablingVariable("hourly"), false]]);
    const node = await cluster.start("a", job(), off);
    await cluster.clock.advance(500);
    await cluster.within(1000, node.jobs.pause("hourly"));
    await cluster.within(1000, node.node.actors.drain());
    await cluster.start("b", job());
    await cluster.clock.advance(500);
    assert.deepEqual(await outcomes(), []);
  });

  it("does not run at the start of a node unless it says so", async () => {
    await cluster.start("a", job({ atStart: false }));
    await cluster.clock.advance(500);
    assert.deepEqual(await outcomes(), []);
  });
});
