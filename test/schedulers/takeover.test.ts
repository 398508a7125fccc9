import assert from "node:assert/strict";
import { JobActor } from "../../src/schedulers/runtime/JobActor.ts";
import { type Definition, JobCluster, type JobNode, lasting } from "./simulatedJobs.ts";

const TTL_MS = 3000;
const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
/** One operation of so many is struck, beginning with one that the seed chooses; `STRIDE=1` strikes each. */
const STRIDE = Number(process.env.STRIDE ?? 4);

describe("jobs whose nodes die, stall or leave (simulated cluster)", () => {
  let cluster: JobCluster;

  beforeEach(async () => {
    cluster = await JobCluster.open();
  });

  afterEach(() => cluster.close());

  const never = { cron: "0 0 1 1 *" };
  const job = (definition: Partial<Definition> = {}): Definition => ({
    name: "work",
    schedule: never,
    run: lasting(5000),
    ...definition,
  });

  /** Two nodes that know each other, the first of which runs the job. */
  async function running(definition: Definition): Promise<{ here: JobNode; other: JobNode }> {
    const nodes = [await cluster.start("a", [definition]), await cluster.start("b", [definition])];
    await cluster.clock.advance(600);
    await cluster.within(2000, nodes[0]!.jobs.trigger(definition.name));
    await cluster.clock.advance(100);
    const here = nodes.find(({ id }) => id === cluster.lived[0]!.node)!;
    return { here, other: nodes.find((node) => node !== here)! };
  }

  it("are begun again by the next owner, as a further attempt at the same run, from where they were", async () => {
    const seen: unknown[] = [];
    const { here, other } = await running(
      job({
        run: async (context, node) => {
          seen.push(context.earlierProgress);
          context.progress({ upTo: context.attempt });
          return lasting(5000)(context, node);
        },
      }),
    );
    await cluster.clock.advance(2000);
    const [before] = await cluster.runs();
    assert.deepEqual([before!.node, before!.attempt, before!.outcome], [here.id, 1, "running"]);
    assert.equal((await other.jobs.status()).jobs[0]!.runningOn, here.id);
    await here.crash();
    await cluster.clock.advance(TTL_MS + 3000);
    const [resumed] = await cluster.runs();
    assert.deepEqual([resumed!.node, resumed!.attempt, resumed!.outcome], [other.id, 2, "running"]);
    assert.equal(resumed!.epoch, before!.epoch! + 1);
    assert.equal(resumed!.startedAt, before!.startedAt);
    await cluster.clock.advance(5000);
    const [run, ...others] = await cluster.runs();
    assert.deepEqual(others, []);
    assert.deepEqual([run!.attempt, run!.outcome, run!.progress], [2, "succeeded", { upTo: 2 }]);
    assert.deepEqual(seen, [null, { upTo: 1 }]);
    const { runs, successes } = await other.jobs.status();
    assert.deepEqual({ runs, successes }, { runs: 1, successes: 1 });
  });

  it("go on elsewhere while their node is stalled, which is heard of no more", async () => {
    const { here, other } = await running(
      job({
        run: async (context, node) => {
          for (let step = 1; step <= 50; step++) {
            await lasting(100)({ ...context, signal: new AbortController().signal }, node);
            context.progress(`${node.id} ${step}`);
          }
          return node.id;
        },
      }),
    );
    await cluster.clock.advance(1000);
    await here.life.stall();
    await cluster.clock.advance(TTL_MS + 3000);
    assert.deepEqual(
      cluster.lived.map(({ node, attempt }) => [node, attempt]),
      [
        [here.id, 1],
        [other.id, 2],
      ],
    );
    here.life.wake();
    await cluster.clock.advance(1000);
    const [stale] = cluster.lived;
    assert.equal(stale!.signal.aborted, true);
    assert.match((await cluster.runs())[0]!.progress as string, new RegExp(`^${other.id} `));
    await cluster.clock.advance(8000);
    const [run] = await cluster.runs();
    assert.deepEqual([run!.attempt, run!.outcome, run!.result], [2, "succeeded", other.id]);
    assert.equal(cluster.lived.length, 2);
  });

  it("that end on a stalled node before the next owner has begun are not begun again", async () => {
    const { here } = await running(job({ run: lasting(1500) }));
    await here.life.stall();
    await cluster.clock.advance(2500);
    here.life.wake();
    await cluster.clock.advance(5000);
    assert.equal(cluster.lived.length, 1);
    assert.equal((await cluster.runs())[0]!.outcome, "succeeded");
  });

  it("move at once when their node drains, and that is not held against them", async () => {
    const { here, other } = await running(job({ run: lasting(4000) }));
    const drained = here.node.actors.drain();
    await cluster.within(2000, drained);
    await cluster.clock.advance(500);
    assert.equal(cluster.lived[0]!.signal.aborted, true);
    const [run] = await cluster.runs();
    assert.deepEqual([run!.node, run!.attempt, run!.outcome], [other.id, 2, "running"]);
    await cluster.clock.advance(5000);
    assert.equal((await cluster.runs())[0]!.outcome, "succeeded");
    const events = (await cluster.feed.read("jobs", undefined)).events;
    assert.deepEqual(events, []);
  });

  it("that have ended are not repeated when the word of it is lost on its way", async () => {
    const { here } = await running(job({ run: lasting(1000) }));
    let commits = 0;
    // The turn that stores the end: each of its operations fails once, its commit among them.
    here.life.onOperation = (when) => {
      if (cluster.lived[0]!.ended && commits < 12 && when === "after") {
        commits += 1;
        return commits % 2 === 1 ? "lose connection" : undefined;
      }
      return undefined;
    };
    await cluster.clock.advance(10_000);
    assert.equal(commits, 12);
    const [run] = await cluster.runs();
    assert.equal(run!.outcome, "succeeded");
    assert.equal(cluster.lived.length, 1);
    assert.equal((await here.jobs.status()).runs, 1);
  });

  it("keep what was due meanwhile, though overlaps are skipped", async () => {
    const often = job({ schedule: { everyMs: 1000 }, missed: "fire", overlap: "skip", run: lasting(400) });
    const nodes = [await cluster.start("a", [often]), await cluster.start("b", [often])];
    await cluster.advanceTo(1000, 1200);
    const here = nodes.find(({ id }) => id === cluster.lived.at(-1)!.node)!;
    await here.crash();
    const diedAt = cluster.clock.now();
    await cluster.clock.advance(12_000);
    const runs = await cluster.runs();
    const meanwhile = runs.filter(({ scheduledAt }) => scheduledAt > diedAt && scheduledAt <= diedAt + TTL_MS);
    assert.deepEqual(
      meanwhile.map(({ outcome }) => outcome),
      Array(3).fill("succeeded"),
    );
    assert.deepEqual(runs.at(-2)!.outcome, "succeeded");
  });

  it("that have failed fail once, however often that is said", async () => {
    const { here } = await running(job({ retries: 1, run: () => Promise.reject(new Error("as always")) }));
    const { scheduledAt } = cluster.lived[0]!;
    assert.equal((await cluster.runs())[0]!.outcome, "retrying");
    const actor = here.node.actors.ref(JobActor, "work");
    await cluster.within(200, actor.finish(scheduledAt, 1, { ok: false, error: "as always" }));
    assert.equal((await cluster.runs())[0]!.outcome, "retrying");
    await cluster.clock.advance(2000);
    assert.deepEqual(
      cluster.lived.map(({ attempt }) => attempt),
      [1, 2],
    );
  });

  it("go on when they are said to have moved and have not", async () => {
    const { here } = await running(job());
    const { scheduledAt, attempt } = cluster.lived[0]!;
    await cluster.within(1000, here.node.actors.ref(JobActor, "work").moved(scheduledAt, attempt));
    await cluster.clock.advance(1000);
    assert.equal(cluster.lived.length, 1);
  });

  it("that kill every node they run on are dead after three, and their job waits for an operator", async () => {
    const poison = job({
      name: "poison",
      retries: 3,
      run: async (_context, node) => {
        await node.crash();
      },
    });
    const tick = job({ name: "tick", schedule: { everyMs: 1000 }, missed: "fire", run: async () => "ok" });
    let node = await cluster.start("n0", [poison, tick]);
    await cluster.clock.advance(2500);
    node.jobs.trigger("poison").catch(() => {});
    for (let at = 1; at <= 4; at++) {
      await cluster.clock.advance(1000);
      node = await cluster.start(`n${at}`, [poison, tick]);
      await cluster.clock.advance(TTL_MS + 4000);
    }
    assert.equal(node.node.crashed, false);
    assert.equal(cluster.lived.filter((lived) => lived.job === "poison").length, 3);
    const [dead] = await cluster.runs("poison");
    assert.deepEqual([dead!.outcome, dead!.attempt], ["dead", 3]);
    assert.match(dead!.error!, /died 3 times/);
    const { jobs } = await node.jobs.status();
    const summary = jobs.find(({ name }) => name === "poison")!;
    assert.equal(summary.quarantined, true);
    assert.equal(summary.lastDead!.scheduledAt, dead!.scheduledAt);
    await assert.rejects(cluster.within(5000, node.jobs.trigger("poison")), { code: "actor_quarantined" });
    const ticks = (await cluster.runs("tick")).map(({ scheduledAt }) => scheduledAt);
    assert.deepEqual(
      ticks,
      ticks.map((_, at) => ticks[0]! + at * 1000),
    );
    assert.equal(ticks.at(-1), Math.floor(cluster.clock.now() / 1000) * 1000);
    await cluster.within(5000, node.jobs.resume("poison"));
    const healed = (await node.jobs.status()).jobs.find(({ name }) => name === "poison")!;
    assert.equal(healed.quarantined, false);
  });

  it("that are broken off by one restart after the other are no poison", async () => {
    const long = job({ run: lasting(60_000) });
    let node = await cluster.start("n0", [long]);
    await cluster.within(2000, node.jobs.trigger("work"));
    for (let at = 1; at <= 5; at++) {
      await cluster.clock.advance(2000);
      await cluster.within(2000, node.node.actors.drain());
      await node.crash();
      node = await cluster.start(`n${at}`, [long]);
    }
    await cluster.clock.advance(70_000);
    const [run] = await cluster.runs();
    assert.deepEqual([run!.outcome, run!.attempt], ["succeeded", 6]);
  });

  it("that had run for long before each death are no poison", async () => {
    const long = job({ run: lasting(60_000) });
    let node = await cluster.start("n0", [long]);
    await cluster.within(2000, node.jobs.trigger("work"));
    for (let at = 1; at <= 4; at++) {
      await cluster.clock.advance(15_000);
      await node.crash();
      node = await cluster.start(`n${at}`, [long]);
      await cluster.clock.advance(TTL_MS + 4000);
    }
    await cluster.clock.advance(60_000);
    const [run] = await cluster.runs();
    assert.deepEqual([run!.outcome, run!.attempt], ["succeeded", 5]);
  });

  describe("at every operation on the database", () => {
    before(() => console.log(`      seed ${SEED} (SEED=${SEED} replays)`));

    const tick = job({ name: "tick", schedule: { everyMs: 1000 }, missed: "fire", overlap: "queue", run: lasting(30) });
    const flaky = job({
      name: "flaky",
      schedule: { everyMs: 2000 },
      missed: "fire",
      overlap: "queue",
      retries: 1,
      run: async (context, node) => {
        await lasting(20)(context, node);
        if (context.attempt === 1) throw new Error("at first");
      },
    });

    /** Two nodes run jobs; `befall` strikes the operation `at` of the one that owns them. Whether it was reached. */
    async function scenario(
      at: number,
      when: "before" | "after",
      befall: (node: JobNode) => unknown,
    ): Promise<boolean> {
      const nodes = await Promise.all(["a", "b"].map((id) => cluster.start(id, [tick, flaky])));
      await cluster.clock.advance(600);
      let operation = 0;
      let hasStruck = false;
      for (const node of nodes) {
        node.life.onOperation = (now) => {
          if (hasStruck || now !== when || operation++ !== at) return undefined;
          hasStruck = true;
          return befall(node) as undefined;
        };
      }
      await cluster.advanceTo(2000, 2200);
      for (const node of nodes) node.life.onOperation = () => undefined;
      await cluster.clock.advance(7000);
      for (const node of nodes) node.life.wake();
      await cluster.advanceTo(2000, 5900);
      return hasStruck;
    }

    async function assertWhole(what: string): Promise<void> {
      for (const [name, everyMs] of [
        ["tick", 1000],
        ["flaky", 2000],
      ] as const) {
        const runs = await cluster.runs(name);
        const times = runs.map(({ scheduledAt }) => scheduledAt);
        assert.deepEqual(
          times,
          times.map((_, at) => times[0]! + at * everyMs),
          `${what}: no due time of ${name} is missing`,
        );
        assert.equal(times.at(-1), Math.floor(cluster.clock.now() / everyMs) * everyMs, `${what}: ${name} goes on`);
        const summary = (await cluster.nodes.find(({ node }) => !node.crashed)!.jobs.status()).jobs.find(
          (each) => each.name === name,
        )!;
        const outcomes = runs.map(({ outcome }) => outcome);
        const isEnd = (outcome: string): boolean => outcome === "succeeded" || outcome === "dead";
        assert.ok(
          outcomes.every((outcome) => isEnd(outcome)),
          `${what}: ${name} ${outcomes}`,
        );
        assert.equal(summary.runs, outcomes.length, `${what}: ${name} is counted right`);
        assert.equal(summary.successes, outcomes.filter((outcome) => outcome === "succeeded").length);
        for (const { scheduledAt, attempt } of runs) {
          const attempts = cluster.lived
            .filter((lived) => lived.job === name && lived.scheduledAt === scheduledAt)
            .map((lived) => lived.attempt);
          assert.equal(new Set(attempts).size, attempts.length, `${what}: no attempt at ${name} is made twice`);
          assert.ok(Math.max(...attempts) <= attempt && attempts.length <= 3, `${what}: ${name} ${attempts}`);
        }
      }
    }

    for (const [mishap, befall] of [
      ["the node dies", () => "crash"],
      ["the connection is lost", () => "lose connection"],
      ["the node stalls", (node: JobNode) => void node.life.stall()],
    ] as const) {
      for (const when of ["before", "after"] as const) {
        it(`no due time is lost and no attempt doubled when ${mishap} ${when} it`, async function () {
          this.timeout(120_000);
          let at = SEED % STRIDE;
          for (; ; at += STRIDE) {
            if (!(await scenario(at, when, befall))) break;
            await assertWhole(`operation ${at}`);
            await cluster.close();
            cluster = await JobCluster.open();
          }
          assert.ok(at > 30, `only ${at} operations`);
        });
      }
    }
  });
});
