import assert from "node:assert/strict";
import { type Definition, JobCluster, lasting } from "./simulatedJobs.ts";

const everySecond = { everyMs: 1000 };

describe("a job's runs (simulated cluster)", () => {
  let cluster: JobCluster;

  beforeEach(async () => {
    cluster = await JobCluster.open();
  });

  afterEach(() => cluster.close());

  const job = (definition: Partial<Definition> = {}): Definition => ({
    name: "tick",
    schedule: everySecond,
    run: async () => "done",
    ...definition,
  });

  it("run once in the cluster, each due time with its row", async () => {
    for (const id of ["a", "b", "c"]) await cluster.start(id, [job()]);
    await cluster.advanceTo(1000);
    const from = cluster.clock.now();
    await cluster.clock.advance(9_500);
    const runs = (await cluster.runs()).filter(({ scheduledAt }) => scheduledAt >= from);
    assert.deepEqual(
      runs.map(({ scheduledAt }) => scheduledAt),
      Array.from({ length: 10 }, (_, at) => from + at * 1000),
    );
    for (const run of runs) {
      assert.deepEqual(
        { ...run, scheduledAt: 0, startedAt: 0, finishedAt: 0 },
        {
          job: "tick",
          scheduledAt: 0,
          node: runs[0]!.node,
          epoch: 1,
          attempt: 1,
          startedAt: 0,
          finishedAt: 0,
          latenessMs: run.startedAt! - run.scheduledAt,
          outcome: "succeeded",
          error: null,
          result: "done",
          progress: null,
          byHand: false,
        },
      );
    }
    const { runs: total, successes, failures, successRate, jobs } = await cluster.nodes[0]!.jobs.status();
    assert.equal(total, cluster.lived.length);
    assert.deepEqual({ total: successes, failures, successRate }, { total, failures: 0, successRate: 1 });
    assert.equal(jobs[0]!.lastRun!.scheduledAt, from + 9000);
    assert.equal(jobs[0]!.nextRunAt, from + 10_000);
    assert.equal(jobs[0]!.runningOn, null);
  });

  it("are told their due time, and that this is their first attempt", async () => {
    await cluster.start("a", [job({ schedule: { cron: "*/5 * * * * *" } })]);
    await cluster.advanceTo(5000, 10);
    const [first] = cluster.lived;
    assert.equal(first!.scheduledAt % 5000, 0);
    assert.equal(first!.attempt, 1);
    assert.equal(first!.signal.aborted, false);
  });

  it("of a jittered schedule keep their distance from each other", async () => {
    await cluster.start("a", [job({ schedule: { everyMs: 60_000, jitterMs: 10_000 } })]);
    await cluster.clock.advance(600_000);
    const times = (await cluster.runs()).map(({ scheduledAt }) => scheduledAt);
    assert.ok(times.length >= 8 && times.length <= 12, `${times.length} runs`);
    const gaps = times.slice(1).map((time, at) => time - times[at]!);
    assert.ok(gaps.every((gap) => gap >= 50_000 && gap <= 70_000));
    assert.ok(new Set(gaps).size > 1);
  });

  it("that fail, now or synchronously, stop no other job and not their own next run", async () => {
    const fails = job({ name: "fails", run: () => Promise.reject(new Error("no luck")) });
    const throws = job({
      name: "throws",
      run: () => {
        throw "a string";
      },
    });
    await cluster.start("a", [job(), fails, throws]);
    await cluster.advanceTo(1000);
    await cluster.clock.advance(3500);
    for (const [name, error] of [
      ["fails", "no luck"],
      ["throws", "'a string'"],
    ] as const) {
      const runs = (await cluster.runs(name)).slice(-4);
      assert.deepEqual(
        runs.map((run) => [run.outcome, run.error, run.attempt]),
        Array(4).fill(["dead", error, 1]),
      );
    }
    assert.ok((await cluster.runs("tick")).every(({ outcome }) => outcome === "succeeded"));
    const { failures, jobs } = await cluster.nodes[0]!.jobs.status();
    assert.equal(failures, cluster.lived.filter(({ job }) => job !== "tick").length);
    const last = jobs.find(({ name }) => name === "fails")!;
    assert.deepEqual(last.lastDead, last.lastRun);
  });

  it("that fail are tried again after longer and longer waits, and then are dead", async () => {
    const attempts: number[] = [];
    const run = async (): Promise<void> => {
      attempts.push(cluster.clock.now());
      throw new Error(`attempt ${attempts.length}`);
    };
    const node = await cluster.start("a", [job({ schedule: { cron: "0 0 * * *" }, retries: 3, run })]);
    const { scheduledAt } = await cluster.within(1000, node.jobs.trigger("tick"));
    await cluster.clock.advance(100);
    assert.equal((await cluster.runs())[0]!.outcome, "retrying");
    assert.equal((await cluster.runs())[0]!.error, "attempt 1");
    await cluster.clock.advance(60_000);
    const waits = attempts.slice(1).map((time, at) => time - attempts[at]!);
    assert.equal(waits.length, 3);
    for (const [at, wait] of waits.entries()) assert.ok(wait >= 500 * 2 ** at && wait <= 1100 * 2 ** at, `${waits}`);
    const [run1, ...others] = await cluster.runs();
    assert.deepEqual(others, []);
    assert.deepEqual(
      [run1!.scheduledAt, run1!.outcome, run1!.attempt, run1!.error],
      [scheduledAt, "dead", 4, "attempt 4"],
    );
    const { events } = await cluster.feed.read("jobs", undefined);
    assert.deepEqual(
      events.map(({ type }) => type),
      ["failed", "failed", "failed", "dead"],
    );
  });

  it("that succeed at a later attempt are counted once, and their error is gone", async () => {
    const node = await cluster.start("a", [
      job({
        schedule: { cron: "0 0 * * *" },
        retries: 1,
        run: async ({ attempt }) => {
          if (attempt === 1) throw new Error("not yet");
          return attempt;
        },
      }),
    ]);
    await cluster.within(1000, node.jobs.trigger("tick"));
    await cluster.clock.advance(5000);
    const [run] = await cluster.runs();
    assert.deepEqual([run!.outcome, run!.attempt, run!.error, run!.result], ["succeeded", 2, null, 2]);
    const { runs, successes, failures } = await node.jobs.status();
    assert.deepEqual({ runs, successes, failures }, { runs: 1, successes: 1, failures: 0 });
    assert.deepEqual(
      node.ran.map(({ outcome, lateness }) => [outcome, lateness === undefined]),
      [
        ["failed", false],
        ["succeeded", true],
      ],
    );
  });

  it("that never end are given up at their timeout, with their signal aborted, and the next one comes", async () => {
    await cluster.start("a", [
      job({ schedule: { everyMs: 10_000 }, timeoutMs: 3000, run: () => new Promise(() => {}) }),
    ]);
    await cluster.advanceTo(10_000, 13_500);
    const [first, second] = await cluster.runs();
    for (const run of [first, second])
      assert.deepEqual([run!.outcome, run!.error], ["dead", "timed out after 3000 ms"]);
    assert.equal(second!.scheduledAt - first!.scheduledAt, 10_000);
    assert.ok(cluster.lived.every(({ signal }) => signal.aborted));
  });

  const results: Array<[string, () => unknown, unknown]> = [
    ["nothing", () => undefined, null],
    ["a bigint", () => ({ sum: 1n }), { unserialisable: "Do not know how to serialize a BigInt" }],
    ["a function", () => () => 1, { unserialisable: "function" }],
    ["a megabyte", () => "x".repeat(1_000_000), { tooLong: 1_000_002 }],
    ["emoji and half of one", () => "🎪\ud83c", "🎪\ud83c"],
    [
      "something circular",
      () => {
        const self: Record<string, unknown> = {};
        self.self = self;
        return self;
      },
      /circular/i,
    ],
  ];
  for (const [what, result, expected] of results) {
    it(`that answer with ${what} have succeeded`, async () => {
      const node = await cluster.start("a", [job({ schedule: { cron: "0 0 * * *" }, run: async () => result() })]);
      await cluster.within(1000, node.jobs.trigger("tick"));
      await cluster.clock.advance(200);
      const [run] = await cluster.runs();
      assert.equal(run!.outcome, "succeeded");
      if (expected instanceof RegExp)
        assert.match((run!.result as { unserialisable: string }).unserialisable, expected);
      else assert.deepEqual(run!.result, expected);
    });
  }

  it("that throw what cannot even be shown are dead, and disturb nothing", async () => {
    const evil = {
      get message() {
        throw new Error("from the message");
      },
    };
    Object.setPrototypeOf(evil, Error.prototype);
    const node = await cluster.start("a", [job({ schedule: { cron: "0 0 * * *" }, run: () => Promise.reject(evil) })]);
    await cluster.within(1000, node.jobs.trigger("tick"));
    await cluster.clock.advance(200);
    assert.deepEqual(
      (await cluster.runs()).map(({ outcome, error }) => [outcome, error]),
      [["dead", "something that cannot be shown was thrown"]],
    );
  });

  it("show how far they are, at most once a second, and keep the last of it", async () => {
    const node = await cluster.start("a", [
      job({
        schedule: { cron: "0 0 * * *" },
        run: async ({ progress, signal }, on) => {
          for (let done = 1; done <= 25; done++) {
            progress({ done });
            await lasting(100)({ signal } as never, on);
          }
          progress(1n);
          progress({ done: "all" });
        },
      }),
    ]);
    await cluster.within(1000, node.jobs.trigger("tick"));
    const seen: unknown[] = [];
    for (let passed = 0; passed < 2400; passed += 100) {
      await cluster.clock.advance(100);
      const { progress } = (await cluster.runs())[0]!;
      if (JSON.stringify(progress) !== JSON.stringify(seen.at(-1) ?? null)) seen.push(progress);
    }
    assert.equal(seen.length, 2, JSON.stringify(seen));
    await cluster.clock.advance(1000);
    const [run] = await cluster.runs();
    assert.deepEqual([run!.outcome, run!.progress], ["succeeded", { done: "all" }]);
  });

  for (const [overlap, expected] of [
    ["skip", ["succeeded", "skipped", "skipped", "succeeded", "skipped", "skipped"]],
    ["queue", ["succeeded", "succeeded", "succeeded", "running", "queued", "queued"]],
  ] as const) {
    it(`that take longer than their period: ${overlap}`, async () => {
      await cluster.start("a", [job({ overlap, missed: "fire", run: lasting(2500) })]);
      await cluster.clock.advance(overlap === "skip" ? 6900 : 9900);
      const outcomes = (await cluster.runs()).map(({ outcome }) => outcome);
      assert.deepEqual(outcomes.slice(0, 6), expected);
      if (overlap === "skip") assert.equal((await cluster.runs())[1]!.error, "an earlier run was going on");
      const lived = cluster.lived.filter(({ ended }) => !ended);
      assert.ok(lived.length <= 1, "one at a time");
    });
  }

  it("that cannot keep up wait their turn, all of them, without the queue growing for ever", async () => {
    await cluster.start("a", [
      job({ schedule: { everyMs: 100 }, overlap: "queue", missed: "fire", run: lasting(200) }),
    ]);
    await cluster.clock.advance(60_000);
    const runs = await cluster.runs();
    assert.ok(runs.filter(({ outcome }) => outcome === "queued").length <= 100);
    const done = runs.filter(({ outcome }) => outcome === "succeeded");
    assert.ok(done.length > 200, `${done.length}`);
    assert.deepEqual(
      runs.map(({ scheduledAt }) => scheduledAt),
      runs.map((_, at) => runs[0]!.scheduledAt + at * 100),
    );
    const [actor] = await cluster.database.query<{ state: string }>("SELECT state FROM actors WHERE kind = 'job'");
    assert.ok(actor!.state.length < 5000);
  });

  for (const [missed, expected] of [
    ["fire", [0, 1, 2, 3, 4, 5, 6, 7]],
    ["coalesce", [0, 1, 7]],
    ["skip", [0, 1, 7]],
  ] as const) {
    it(`that were due while no node lived: ${missed}`, async () => {
      const node = await cluster.start("a", [job({ missed, schedule: { everyMs: 10_000 } })]);
      await cluster.advanceTo(10_000, 10_100);
      await node.crash();
      // Six due times pass; the newest of them is 500 ms old when somebody looks.
      await cluster.clock.advance(60_000);
      await cluster.clock.advance(400);
      await cluster.start("a", [job({ missed, schedule: { everyMs: 10_000 } })]);
      await cluster.clock.advance(5000);
      const runs = await cluster.runs();
      const first = runs[0]!.scheduledAt;
      assert.deepEqual(
        runs.map(({ scheduledAt }) => (scheduledAt - first) / 10_000),
        expected,
      );
      assert.ok(runs.every(({ outcome }) => outcome === "succeeded"));
      assert.equal(runs.at(-1)!.latenessMs! < 2500, true);
    });
  }

  it("that were missed by more than 10 s are let go by skip, and the history says so", async () => {
    const daily = job({ missed: "skip", schedule: { cron: "0 3 * * *" } });
    const node = await cluster.start("a", [daily]);
    await node.crash();
    await cluster.clock.advance(2 * 86_400_000);
    const next = await cluster.start("a", [daily]);
    await cluster.clock.advance(2000);
    assert.deepEqual(
      (await cluster.runs()).map(({ outcome, error, attempt }) => [outcome, error, attempt]),
      [["skipped", "missed", 0]],
    );
    assert.equal(cluster.lived.length, 0);
    assert.ok((await next.jobs.status()).jobs[0]!.nextRunAt! > cluster.clock.now());
  });

  it("that were missed by the thousand are all made up for by fire, in order", async () => {
    const often = job({ missed: "fire", schedule: everySecond });
    const node = await cluster.start("a", [often]);
    await cluster.clock.advance(2500);
    await node.crash();
    await cluster.clock.advance(700_000);
    await cluster.start("a", [often]);
    await cluster.clock.advance(6000);
    const runs = await cluster.runs();
    const times = runs.map(({ scheduledAt }) => scheduledAt);
    assert.deepEqual(
      times,
      times.map((_, at) => times[0]! + at * 1000),
    );
    assert.ok(times.length > 700);
    const lived = cluster.lived.map(({ scheduledAt }) => scheduledAt);
    assert.deepEqual(
      lived,
      [...lived].sort((a, b) => a - b),
    );
    const skipped = runs.filter(({ outcome }) => outcome === "skipped");
    // Only those that came while the others were being made up for.
    assert.ok(skipped.every(({ scheduledAt }) => scheduledAt > cluster.clock.now() - 7000));
  });

  it("do not come again when the clock is set back, and are made up for when it is set forward", async () => {
    await cluster.start("a", [job({ missed: "fire" })]);
    await cluster.clock.advance(5500);
    const before = (await cluster.runs()).length;
    cluster.clock.wallOffset = -3000;
    await cluster.clock.advance(2900);
    assert.equal((await cluster.runs()).length, before);
    await cluster.clock.advance(3000);
    cluster.clock.wallOffset = 20_000;
    await cluster.clock.advance(3000);
    const times = (await cluster.runs()).map(({ scheduledAt }) => scheduledAt);
    assert.deepEqual(
      times,
      times.map((_, at) => times[0]! + at * 1000),
    );
    assert.equal(times.at(-1), Math.floor(cluster.clock.now() / 1000) * 1000);
    assert.equal(new Set(cluster.lived.map(({ scheduledAt }) => scheduledAt)).size, cluster.lived.length);
  });
});
