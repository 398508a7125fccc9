import assert from "node:assert/strict";
import { openDatabase } from "../../src/entities/database.ts";
import type { Database } from "../../src/entities/sql.ts";
import { type Program, startProcess } from "../support/processes.ts";
import { freshDatabaseUrl, type RedisServer, startRedis } from "../support/servers.ts";
import { sooner } from "./support.ts";
import type { JobsWorkerOptions } from "./workerJobs.ts";

const PERIOD_MS = 1000;

interface Row {
  job: string;
  scheduledAt: number;
  attempt: number;
  outcome: string;
  error: string | null;
  node: string | null;
}

describe("jobs on a cluster whose nodes die and stop", function () {
  this.timeout(120_000);
  let redis: RedisServer;
  let databaseUrl: string;
  let database: Database;
  const nodes = new Map<string, Program>();

  beforeEach(async () => {
    [redis, databaseUrl] = await Promise.all([startRedis(), freshDatabaseUrl()]);
    database = await openDatabase({ kind: "mysql", url: databaseUrl, pool: 4 });
    // No unique key: what was attempted twice under one number is there twice.
    await database.write(
      "CREATE TABLE attempts (job VARCHAR(32) NOT NULL, scheduled_at BIGINT NOT NULL, attempt INT NOT NULL, node VARCHAR(32) NOT NULL) ENGINE=InnoDB",
    );
  });

  afterEach(async () => {
    await Promise.all([...nodes.values()].map((node) => node.kill()));
    nodes.clear();
    await database.close();
    await redis.stop();
  });

  async function start(
    id: string,
    jobs: JobsWorkerOptions["jobs"],
    role: JobsWorkerOptions["role"] = "all",
  ): Promise<Program> {
    const worker: JobsWorkerOptions = { id, role, redisUrl: redis.url, databaseUrl, jobs };
    const node = await startProcess("test/cluster/workerJobs.ts", {
      name: `node ${id}`,
      env: { WORKER: JSON.stringify(worker) },
    });
    nodes.set(id, node);
    await node.message("being ready", (message) =>
      (message as { event?: string }).event === "ready" ? true : undefined,
    );
    return node;
  }

  async function rows(): Promise<Row[]> {
    const found = await database.query<Omit<Row, "scheduledAt"> & { scheduled_at: number }>(
      "SELECT job, scheduled_at, attempt, outcome, error, node FROM job_runs ORDER BY job, scheduled_at",
    );
    return found.map(({ scheduled_at, ...row }) => ({ ...row, scheduledAt: Number(scheduled_at) }));
  }

  /** The time up to which every job's runs have come to an end. */
  async function settledUpTo(jobs: number): Promise<number> {
    const [row] = await database.query<{ jobs: number; upTo: number }>(
      `SELECT COUNT(*) AS jobs, MIN(newest) AS upTo FROM (SELECT job, MAX(scheduled_at) AS newest FROM job_runs
       WHERE outcome IN ('succeeded', 'skipped', 'dead') GROUP BY job) AS each_job`,
    );
    return Number(row!.jobs) < jobs ? 0 : Number(row!.upTo);
  }

  /** A node on which several runs are going on. */
  function inTheMiddle(): Promise<Program> {
    return sooner("a node is in the middle of runs", async () => {
      const [busiest] = await database.query<{ node: string; runs: number }>(
        "SELECT node, COUNT(*) AS runs FROM job_runs WHERE outcome = 'running' GROUP BY node ORDER BY runs DESC LIMIT 1",
      );
      return busiest && Number(busiest.runs) >= 3 ? nodes.get(busiest.node) : undefined;
    });
  }

  it("has exactly one row a due time for 20 jobs at 1 s through SIGKILLs, a SIGSTOP and a SIGTERM", async () => {
    const jobs = Array.from({ length: 20 }, (_, at) => ({
      name: `job-${at}`,
      overlap: at % 2 === 0 ? ("queue" as const) : ("skip" as const),
      takesMs: at % 4 < 2 ? 0 : 300,
    }));
    await Promise.all(["a", "b", "c"].map((id) => start(id, jobs)));
    const startedAt = Date.now();
    const passed = (seconds: number): Promise<unknown> =>
      sooner(`all jobs have run for ${seconds} s`, async () => {
        return (await settledUpTo(jobs.length)) >= startedAt + seconds * 1000;
      });

    await passed(4);
    await (await inTheMiddle()).kill();
    await Promise.all([start("d", jobs), passed(10)]);
    const stopped = await inTheMiddle();
    stopped.signal("SIGSTOP");
    const stoppedAt = Date.now();
    await sooner("5 s are over", () => Date.now() - stoppedAt >= 5000);
    stopped.signal("SIGCONT");
    await passed(19);
    await (await inTheMiddle()).kill();
    await Promise.all([start("e", jobs), passed(25)]);
    const drained = await inTheMiddle();
    drained.signal("SIGTERM");
    assert.equal((await drained.exited).code, 0);
    for (const seconds of [40, 50, 60]) await passed(seconds);

    const upTo = await settledUpTo(jobs.length);
    const all = (await rows()).filter(({ scheduledAt }) => scheduledAt <= upTo);
    const attempts = await database.query<{ job: string; scheduled_at: number; attempt: number; node: string }>(
      "SELECT * FROM attempts",
    );
    const keys = attempts.map(({ job, scheduled_at, attempt }) => `${job} ${scheduled_at} ${attempt}`);
    assert.deepEqual(
      keys.filter((key, at) => keys.indexOf(key) !== at),
      [],
      "no attempt was made twice",
    );
    const attempted = new Set(attempts.map(({ job, scheduled_at }) => `${job} ${scheduled_at}`));
    for (const { name, overlap } of jobs) {
      const runs = all.filter(({ job }) => job === name);
      const times = runs.map(({ scheduledAt }) => scheduledAt);
      assert.deepEqual(
        times,
        times.map((_, at) => times[0]! + at * PERIOD_MS),
        `${name}: one row a due time, none missing`,
      );
      assert.ok(times[0]! <= startedAt + PERIOD_MS && times.at(-1)! >= startedAt + 60_000);
      const notRun = runs.filter(({ outcome }) => outcome !== "succeeded");
      const isFair = ({ outcome, error }: Row): boolean =>
        overlap === "skip" && outcome === "skipped" && error === "an earlier run was going on";
      assert.deepEqual(
        notRun.filter((run) => !isFair(run)),
        [],
        `${name}: each was run, or skipped as it says`,
      );
      for (const { scheduledAt } of runs.filter(({ outcome }) => outcome === "succeeded"))
        assert.ok(attempted.has(`${name} ${scheduledAt}`), `${name}: what succeeded was attempted`);
    }
    const count = (is: (row: Row) => boolean): number => all.filter(is).length;
    console.log(
      `      ${all.length} due times: ${count(({ attempt }) => attempt > 1)} runs resumed, ${count(({ outcome }) => outcome === "skipped")} overlaps skipped; ` +
        `on ${[...new Set(attempts.map(({ node }) => node))].sort().join(", ")}`,
    );
    assert.ok(count(({ attempt }) => attempt > 1) > 0, "a node died in the middle of a run");
  });

  it("runs jobs on workers, and not on nodes for rooms, which may trigger them", async () => {
    const jobs = ["one", "two", "three", "four"].map((name) => ({ name, overlap: "skip" as const, takesMs: 0 }));
    const web = await start("web", jobs, "web");
    await start("worker", jobs, "worker");
    await sooner("all jobs have run", async () => (await settledUpTo(jobs.length)) > 0);
    const triggered = web.message("a run", (message) => (message as { triggered?: { scheduledAt: number } }).triggered);
    await web.send({ trigger: "one" });
    const { scheduledAt } = await triggered;
    await sooner("the run by hand has ended", async () =>
      (await rows()).some((row) => row.scheduledAt === scheduledAt && row.outcome === "succeeded"),
    );
    assert.deepEqual([...new Set((await rows()).map(({ node }) => node))], ["worker"]);
  });
});
