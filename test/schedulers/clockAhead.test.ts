import assert from "node:assert/strict";
import { type Definition, JobCluster, type JobNode, lasting } from "./simulatedJobs.ts";

const MINUTE_MS = 60_000;
const YEAR_MS = 365 * 86_400_000;
const TTL_MS = 3000;

describe("jobs whose clock was ahead and is right again (simulated cluster)", () => {
  let cluster: JobCluster;

  beforeEach(async () => {
    cluster = await JobCluster.open();
  });

  afterEach(() => cluster.close());

  const job = (definition: Partial<Definition> = {}): Definition => ({
    name: "work",
    schedule: { cron: "*/5 * * * *" },
    run: async () => "done",
    ...definition,
  });

  /** The clock is a year ahead for some seconds. */
  async function leapAYear(): Promise<void> {
    cluster.clock.wallOffset = YEAR_MS;
    await cluster.clock.advance(10_000);
    cluster.clock.wallOffset = 0;
  }
  const nextRunAt = async (node: JobNode): Promise<number | null> => (await node.jobs.status()).jobs[0]!.nextRunAt;
  const nextMultiple = (ms: number): number => Math.floor(cluster.clock.now() / ms) * ms + ms;

  it("are due as before within a minute, though nothing else happens", async () => {
    const node = await cluster.start("a", [job()]);
    await cluster.advanceTo(5 * MINUTE_MS, 30_000);
    const due = nextMultiple(5 * MINUTE_MS);
    await leapAYear();
    assert.ok((await nextRunAt(node))! > due + YEAR_MS / 2);
    await cluster.clock.advance(MINUTE_MS);
    assert.equal(await nextRunAt(node), due);
    await cluster.advanceTo(5 * MINUTE_MS, 1000);
    assert.deepEqual(
      [cluster.lived.at(-1)!.scheduledAt, (await cluster.runs("work")).at(-2)!.scheduledAt, await nextRunAt(node)],
      [due, due, due + 5 * MINUTE_MS],
    );
  });

  for (const [what, touch] of [
    ["a node starts", () => cluster.start("b", [job()])],
    ["an operator triggers them", (node: JobNode) => cluster.within(1000, node.jobs.trigger("work"))],
  ] as const) {
    it(`are due as before at once when ${what}`, async () => {
      const node = await cluster.start("a", [job()]);
      await cluster.advanceTo(5 * MINUTE_MS, 30_000);
      const due = nextMultiple(5 * MINUTE_MS);
      await leapAYear();
      await touch(node);
      assert.equal(await nextRunAt(node), due);
    });
  }

  it("have a jittered time drawn anew", async () => {
    const node = await cluster.start("a", [job({ schedule: { everyMs: 10 * MINUTE_MS, jitterMs: MINUTE_MS } })]);
    await leapAYear();
    await cluster.clock.advance(MINUTE_MS);
    assert.ok((await nextRunAt(node))! <= cluster.clock.now() + 11 * MINUTE_MS);
  });

  it("are tried again within a minute when they failed meanwhile", async () => {
    const run = async (): Promise<string> => {
      if (cluster.clock.wallOffset > 0) throw new Error("the clock is ahead");
      return "done";
    };
    await cluster.start("a", [job({ retries: 8, run })]);
    await cluster.advanceTo(5 * MINUTE_MS, 30_000);
    await leapAYear();
    assert.equal((await cluster.runs()).at(-1)!.outcome, "retrying");
    await cluster.clock.advance(MINUTE_MS + 1000);
    assert.equal((await cluster.runs()).at(-1)!.outcome, "succeeded");
  });

  it("are looked after as ever: a run that began meanwhile is begun again when its node dies", async () => {
    const nodes: JobNode[] = [];
    for (const id of ["a", "b"]) nodes.push(await cluster.start(id, [job({ run: lasting(3 * MINUTE_MS) })]));
    await cluster.clock.advance(10_000);
    await leapAYear();
    await cluster.clock.advance(MINUTE_MS);
    const [first] = cluster.lived;
    await nodes.find(({ id }) => id === first!.node)!.crash();
    await cluster.clock.advance(TTL_MS + 3000);
    assert.deepEqual(
      cluster.lived.map(({ scheduledAt, attempt }) => [scheduledAt, attempt]),
      [
        [first!.scheduledAt, 1],
        [first!.scheduledAt, 2],
      ],
    );
  });

  it("do not run twice for a due time, however often the clock comes by it", async () => {
    await cluster.start("a", [job({ schedule: { cron: "* * * * *" }, missed: "fire" })]);
    await cluster.clock.advance(10 * MINUTE_MS);
    const before = cluster.lived.length;
    cluster.clock.wallOffset = -5 * MINUTE_MS;
    await cluster.start("b", [job({ schedule: { cron: "* * * * *" }, missed: "fire" })]);
    await cluster.clock.advance(4 * MINUTE_MS);
    assert.equal(cluster.lived.length, before);
    await cluster.clock.advance(5 * MINUTE_MS);
    const times = cluster.lived.map(({ scheduledAt }) => scheduledAt);
    assert.deepEqual(
      times,
      times.map((_, at) => times[0]! + at * MINUTE_MS),
    );
    assert.ok(times.length >= before + 4);
  });
});
