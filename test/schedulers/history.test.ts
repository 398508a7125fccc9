import assert from "node:assert/strict";
import { JobHistory } from "../../src/entities/jobs/Job.ts";
import { JobBook } from "../../src/entities/jobs/JobBook.ts";
import { deadTasks, TaskBook } from "../../src/entities/jobs/TaskBook.ts";
import type { Database } from "../../src/entities/sql.ts";
import { openDatabase } from "../support/database.ts";
import { migratedDatabaseUrl } from "../support/migratedDatabase.ts";

const DATABASES = {
  SQLite: () => openDatabase({ kind: "sqlite", path: ":memory:" }),
  MariaDB: async () => openDatabase({ kind: "mysql", url: await migratedDatabaseUrl(), pool: 32 }),
};

for (const [name, open] of Object.entries(DATABASES)) {
  describe(`the history of jobs (${name})`, () => {
    let database: Database;
    let history: JobHistory;

    before(async function () {
      this.timeout(120_000);
      database = await open();
      history = new JobHistory(database);
    });

    beforeEach(async () => {
      for (const table of ["jobs", "job_runs", "tasks"]) await database.write(`DELETE FROM ${table}`);
    });

    after(() => database?.close());

    async function write(job: string, work: (book: JobBook) => unknown): Promise<void> {
      await database.transaction(async (tx) => {
        const book = new JobBook(tx, job);
        await work(book);
        await book.store();
      });
    }

    const AT = 4_000_000_000_000;

    it("keeps a run from its due time to its end", async () => {
      await write("tick", (book) => {
        book.add(AT, "queued", {});
        book.change(AT, { outcome: "running", node: "n", epoch: 7, attempt: 1, started_at: AT + 5, lateness_ms: 5 });
      });
      await history.progress("tick", AT, 1, '"half"');
      await write("tick", (book) => {
        book.change(AT, { outcome: "succeeded" });
        book.change(AT, { finished_at: AT + 9, result: '{"sum":"🎪"}' });
      });
      assert.deepEqual(await history.runs(10), [
        {
          job: "tick",
          scheduledAt: AT,
          node: "n",
          epoch: 7,
          attempt: 1,
          startedAt: AT + 5,
          finishedAt: AT + 9,
          latenessMs: 5,
          outcome: "succeeded",
          error: null,
          result: { sum: "🎪" },
          progress: "half",
          byHand: false,
        },
      ]);
    });

    it("keeps tasks of one time by their keys, from their waiting to their end or their burial", async () => {
      await database.transaction(async (tx) => {
        const book = new TaskBook(tx, "mail", 3);
        for (const key of ["k", "l"]) await book.add({ key, scheduledAt: AT, args: '{"to":"🎪"}' }, AT - 9);
        await book.begin([...(await book.next(9))], { node: "n", epoch: 7, now: AT + 5 });
        assert.deepEqual(await book.next(9), []);
        await book.changeRun({ key: "k", scheduledAt: AT }, { outcome: "dead", error: "no luck" });
        await book.change("k", { dead_at: AT + 6, error: "no luck" });
      });
      await history.progress("mail", AT, 1, '"half"', "l");
      await history.giveUp("mail", AT, 1, "l");
      const runs = (await history.runs(10, "mail")).map(({ task, outcome, attempt, latenessMs, progress }) => ({
        ...{ task, outcome, attempt, latenessMs, progress },
      }));
      assert.deepEqual(
        runs.sort((one, other) => one.task!.localeCompare(other.task!)),
        [
          { task: "k", outcome: "dead", attempt: 1, latenessMs: 5, progress: null },
          { task: "l", outcome: "running", attempt: 1, latenessMs: 5, progress: "half" },
        ],
      );
      assert.deepEqual(await deadTasks(database, 10), [
        { name: "mail", key: "k", createdAt: AT - 9, diedAt: AT + 6, attempts: 1, error: "no luck" },
      ]);
      await database.transaction(async (tx) => {
        const book = new TaskBook(tx, "mail", 3);
        const both = ["k", "l"].map((key) => ({ key, scheduledAt: AT, attempt: 1 }));
        assert.deepEqual(await book.givenUp(both), new Set(["l"]));
        await book.replay((await book.find("k"))!, AT + 7);
        const [again, ...others] = await book.next(9);
        assert.deepEqual([again!.key, again!.args, again!.attempt, others], ["k", '{"to":"🎪"}', 1, []]);
      });
    });

    it("has one row a due time, and undoes a turn that would make a second", async () => {
      await write("tick", (book) => book.add(AT, "skipped", { why: "paused" }));
      await assert.rejects(
        write("tick", (book) => {
          book.add(AT, "queued", {});
          book.add(AT + 1, "queued", {});
        }),
      );
      const runs = await history.runs(10);
      assert.deepEqual(
        runs.map(({ scheduledAt, outcome, error, attempt }) => [scheduledAt, outcome, error, attempt]),
        [[AT, "skipped", "paused", 0]],
      );
    });

    it("knows which times are taken, by this job", async () => {
      await write("tick", (book) => {
        for (const at of [AT, AT + 10, AT + 20]) book.add(at, "queued", {});
      });
      await write("tock", (book) => book.add(AT + 5, "queued", { byHand: true }));
      await write("tick", async (book) => assert.deepEqual(await book.taken(AT, AT + 10), new Set([AT, AT + 10])));
    });

    it("takes progress and a giving up of the running attempt alone", async () => {
      await write("tick", (book) => {
        book.add(AT, "queued", {});
        book.change(AT, { outcome: "running", attempt: 2 });
      });
      await history.progress("tick", AT, 1, "1");
      await history.giveUp("tick", AT, 1);
      await write("tick", async (book) => assert.deepEqual(await book.remains(AT), { progress: null, givenUp: null }));
      await history.progress("tick", AT, 2, "2");
      await history.giveUp("tick", AT, 2);
      await write("tick", (book) => book.change(AT, { outcome: "dead" }));
      await history.progress("tick", AT, 2, "3");
      await write("tick", async (book) => assert.deepEqual(await book.remains(AT), { progress: "2", givenUp: 2 }));
    });

    it("shows each job at a glance, with its last run and its last that died", async () => {
      for (const job of ["tock", "tick"]) {
        await write(job, async (book) => {
          await book.introduce("every 1000 ms", "UTC");
          for (const at of [AT, AT + 1000]) book.add(at, "queued", {});
        });
      }
      await write("tick", async (book) => {
        await book.introduce("ignored", "UTC");
        book.show({ paused: 1, next_run_at: AT + 2000, last_scheduled_at: AT + 1000 });
        book.show({ last_dead_at: AT, skip_at: AT + 2000, running_on: "n" });
        book.count("failures");
        book.count("successes");
      });
      const [tick, tock, ...others] = await history.jobs();
      assert.deepEqual(others, []);
      assert.equal(tick!.lastRun!.scheduledAt, AT + 1000);
      assert.equal(tick!.lastDead!.scheduledAt, AT);
      assert.deepEqual(
        { ...tick, lastRun: null, lastDead: null },
        {
          name: "tick",
          schedule: "every 1000 ms",
          timezone: "UTC",
          enabled: true,
          paused: true,
          quarantined: false,
          nextRunAt: AT + 2000,
          skipAt: AT + 2000,
          runs: 2,
          successes: 1,
          failures: 1,
          runningOn: "n",
          lastRun: null,
          lastDead: null,
        },
      );
      assert.deepEqual([tock!.lastRun, tock!.runs, tock!.paused], [null, 0, false]);
    });

    it("answers newest first, of all or of one, as many as asked for", async () => {
      for (const [at, job] of ["tick", "tock", "tick", "tock"].entries())
        await write(job, (book) => book.add(AT + at, "queued", {}));
      const times = async (limit: number, job?: string): Promise<number[]> =>
        (await history.runs(limit, job)).map(({ scheduledAt }) => scheduledAt - AT);
      assert.deepEqual(await times(10), [3, 2, 1, 0]);
      assert.deepEqual(await times(2), [3, 2]);
      assert.deepEqual(await times(10, "tick"), [2, 0]);
    });

    if (name === "MariaDB") {
      it("reads its newest rows by an index, and sorts nothing", async function () {
        this.timeout(120_000);
        const rows = Array.from({ length: 2000 }, (_, at) => [`job-${at % 7}`, AT + at]);
        await database.write(
          `INSERT INTO job_runs (job, scheduled_at, attempt, outcome, by_hand) VALUES ${rows.map(() => "(?, ?, 0, 'queued', 0)").join(", ")}`,
          rows.flat(),
        );
        // In a small table MariaDB sorts rather than look each row up.
        for (let copy = 1; copy < 40; copy++) {
          await database.write(
            `INSERT INTO job_runs (job, scheduled_at, attempt, outcome, by_hand) SELECT job, scheduled_at + ?, 0, 'queued', 0
             FROM job_runs WHERE scheduled_at < ?`,
            [copy * rows.length, AT + rows.length],
          );
        }
        await database.query("ANALYZE TABLE job_runs");
        const [plan] = await database.query<{ key: string; Extra: string }>(
          "EXPLAIN SELECT * FROM job_runs ORDER BY scheduled_at DESC, job DESC LIMIT 20",
        );
        assert.equal(plan!.key, "job_runs_recent");
        assert.doesNotMatch(plan!.Extra, /filesort/);
      });
    }
  });
}
