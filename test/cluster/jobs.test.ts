import assert from "node:assert/strict";
import type { Database } from "../../src/entities/sql.ts";
import { openDatabase } from "../support/database.ts";
import { itMeanwhile } from "../support/meanwhile.ts";
import { migratedDatabaseUrl } from "../support/migratedDatabase.ts";
import { type Program, startProcess } from "../support/processes.ts";
import { type RedisServer, startRedis } from "../support/servers.ts";
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

/** Nodes that run jobs, on a private Redis and a database of their own. */
class JobsCluster {
  readonly database: Database;
  readonly #redis: RedisServer;
  readonly #databaseUrl: string;
  readonly #nodes = new Map<string, Program>();

  /** Opens a cluster, and closes it once `work` has ended. */
  static async with(work: (cluster: JobsCluster) => Promise<void>): Promise<void> {
    const [redis, databaseUrl] = await Promise.all([startRedis(), migratedDatabaseUrl()]);
    const database = await openDatabase({ kind: "mysql", url: databaseUrl, pool: 32 });
    // No unique key: what was attempted twice under one number is there twice.
    await database.write(
      "CREATE TABLE attempts (job VARCHAR(32) NOT NULL, scheduled_at BIGINT NOT NULL, attempt INT NOT NULL, node VARCHAR(32) NOT NULL) ENGINE=InnoDB",
    );
    const cluster = new JobsCluster(redis, databaseUrl, database);
    try {
      await work(cluster);
    } finally {
      await cluster.#close();
    }
  }

  private constructor(redis: RedisServer, databaseUrl: string, database: Database) {
    this.#redis = redis;
    this.#databaseUrl = databaseUrl;
    this.database = database;
  }

  async start(id: string, jobs: JobsWorkerOptions["jobs"], role: JobsWorkerOptions["role"] = "all"): Promise<Program> {
    const worker: JobsWorkerOptions = { id, role, redisUrl: this.#redis.url, databaseUrl: this.#databaseUrl, jobs };
    const node = await startProcess("test/cluster/workerJobs.ts", {
      name: `node ${id}`,
      env: { WORKER: JSON.stringify(worker) },
    });
    this.#nodes.set(id, node);
    await node.message("being ready", (message) =>
      (message as { event?: string }).event === "ready" ? true : undefined,
    );
    return node;
  }

  async rows(): Promise<Row[]> {
    const found = await this.database.query<Omit<Row, "scheduledAt"> & { scheduled_at: number }>(
      "SELECT job, scheduled_at, attempt, outcome, error, node FROM job_runs ORDER BY job, scheduled_at",
    );
    return found.map(({ scheduled_at, ...row }) => ({ ...row, scheduledAt: Number(scheduled_at) }));
  }

  /** The time up to which every job's runs have come to an end. */
  async settledUpTo(jobs: number): Promise<number> {
    const [row] = await this.database.query<{ jobs: number; upTo: number }>(
      `SELECT COUNT(*) AS jobs, MIN(newest) AS upTo FROM (SELECT job, MAX(scheduled_at) AS newest FROM job_runs
       WHERE outcome IN ('succeeded', 'skipped', 'dead') GROUP BY job) AS each_job`,
    );
    return Number(row!.jobs) < jobs ? 0 : Number(row!.upTo);
  }

  /** A node on which several runs are going on. */
  inTheMiddle(): Promise<Program> {
    return sooner("a node is in the middle of runs", async () => {
      const [busiest] = await this.database.query<{ node: string; runs: number }>(
        "SELECT node, COUNT(*) AS runs FROM job_runs WHERE outcome = 'running' GROUP BY node ORDER BY runs DESC LIMIT 1",
      );
      return busiest && Number(busiest.runs) >= 3 ? this.#nodes.get(busiest.node) : undefined;
    });
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#nodes.values()].map((node) => node.kill()));
    await this.database.close();
    await this.#redis.stop();
  }
}

describe("jobs on a cluster whose nodes die and stop", function () {
  this.timeout(240_000);

  itMeanwhile("has exactly one row a due time for 20 jobs at 1 s through SIGKILLs, a SIGSTOP and a SIGTERM", () =>
    JobsCluster.with(async (cluster) => {
      const jobs = Array.from({ length: 20 }, (_, at) => ({
        name: `job-${at}`,
        overlap: at % 2 === 0 ? ("queue" as const) : ("skip" as const),
        takesMs: at % 4 < 2 ? 0 : 300,
      }));
      await Promise.all(["a", "b", "c"].map((id) => cluster.start(id, jobs)));
      const startedAt = Date.now();
      const passed = (seconds: number): Promise<unknown> =>
        sooner(`all jobs have run for ${seconds} s`, async () => {
          return (await cluster.settledUpTo(jobs.length)) >= startedAt + seconds * 1000;
        });

      await passed(4);
      await (await cluster.inTheMiddle()).kill();
      await Promise.all([cluster.start("d", jobs), passed(10)]);
      const stopped = await cluster.inTheMiddle();
      stopped.signal("SIGSTOP");
      const stoppedAt = Date.now();
      await sooner("5 s are over", () => Date.now() - stoppedAt >= 5000);
      stopped.signal("SIGCONT");
      await passed(19);
      await (await cluster.inTheMiddle()).kill();
      await Promise.all([cluster.start("e", jobs), passed(25)]);
      const drained = await cluster.inTheMiddle();
      drained.signal("SIGTERM");
      assert.equal((await drained.exited).code, 0);
      for (const seconds of [40, 50, 60]) await passed(seconds);

      const upTo = await cluster.settledUpTo(jobs.length);
      const all = (await cluster.rows()).filter(({ scheduledAt }) => scheduledAt <= upTo);
      const attempts = await cluster.database.query<{
        job: string;
        scheduled_at: number;
        attempt: number;
        node: string;
      }>("SELECT * FROM attempts");
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
    }),
  );

  it("runs jobs on workers, and not on nodes for rooms, which may trigger them", () =>
    JobsCluster.with(async (cluster) => {
      const jobs = ["one", "two", "three", "four"].map((name) => ({ name, overlap: "skip" as const, takesMs: 0 }));
      const web = await cluster.start("web", jobs, "web");
      await cluster.start("worker", jobs, "worker");
      await sooner("all jobs have run", async () => (await cluster.settledUpTo(jobs.length)) > 0);
      const triggered = web.message(
        "a run",
        (message) => (message as { triggered?: { scheduledAt: number } }).triggered,
      );
      await web.send({ trigger: "one" });
      const { scheduledAt } = await triggered;
      await sooner("the run by hand has ended", async () =>
        (await cluster.rows()).some((row) => row.scheduledAt === scheduledAt && row.outcome === "succeeded"),
      );
      assert.deepEqual([...new Set((await cluster.rows()).map(({ node }) => node))], ["worker"]);
    }));
});
