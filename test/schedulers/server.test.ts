import assert from "node:assert/strict";
import { join } from "node:path";
import type { Room } from "@colyseus/sdk";
import { removeDirectory, temporaryDirectory } from "../../scripts/processes/guard.ts";
import type { JobRun, JobSummary, JobsStatus } from "../../src/entities/jobs/Job.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { RingmasterNode, type SendOptions, tokenOf } from "../support/RingmasterNode.ts";

describe("jobs of a whole server", function () {
  this.timeout(120_000);
  let directory: string;
  let node: RingmasterNode;
  let operator: string;

  before(async () => {
    directory = temporaryDirectory("jobs-test");
    operator = await tokenOf("operator");
    node = await RingmasterNode.start({
      DATABASE_URL: `sqlite:${join(directory, "ringmaster.sqlite")}`,
      TZ_SCHEDULES: "Europe/Berlin",
      ENABLE_PRIZE_CHECK_JOB: "false",
      ENABLE_NO_SUCH_JOB: "true",
    });
  });

  after(async () => {
    await node?.kill();
    removeDirectory(directory);
  });

  const get = <Body>(path: string) => node.get<Body>(`/api/jobs/${path}`, { token: operator });
  const post = <Body>(path: string, options: SendOptions = {}) =>
    node.post<Body>(`/api/jobs/${path}`, { token: operator, ...options });
  const jobOf = (status: JobsStatus, name: string): JobSummary => status.jobs.find((job) => job.name === name)!;
  const runsOf = async (job: string): Promise<JobRun[]> =>
    (await get<{ runs: JobRun[] }>(`history?job=${job}`)).body.runs;
  const ended = (job: string, scheduledAt: number): Promise<JobRun> =>
    until(
      async () =>
        (await runsOf(job)).find(
          (run) => run.scheduledAt === scheduledAt && run.finishedAt !== null && run.outcome !== "running",
        ),
      { timeoutMs: DEADLINE_MS, what: `the run of ${job} has ended` },
    );

  it("tells of each job when it runs, in the zone that is set, and of those that are off", async () => {
    const { status, body } = await get<JobsStatus>("status");
    assert.equal(status, 200);
    assert.deepEqual(
      body.jobs.map(({ name, enabled }) => [name, enabled]),
      [
        ["daily-pools", true],
        ["prize-check", false],
        ["rankings", true],
        ["retention", true],
        ["sessions", true],
        ["weekly-draw", true],
        ["weekly-pools", true],
      ],
    );
    const retention = jobOf(body, "retention");
    assert.equal(retention.timezone, "Europe/Berlin");
    const time = new Intl.DateTimeFormat("de", { timeZone: "Europe/Berlin", timeStyle: "medium" });
    assert.equal(time.format(retention.nextRunAt!), "03:00:00");
    assert.equal(jobOf(body, "prize-check").nextRunAt, null);
    assert.ok(node.output.some((line) => line.includes("ENABLE_NO_SUCH_JOB")));
  });

  it("runs one by hand, once for a key, and tells how it went", async () => {
    const headers = { "Idempotency-Key": "once" };
    const first = await post<{ job: string; scheduledAt: number }>("trigger/retention", { headers });
    assert.equal(first.status, 202);
    assert.equal(first.body.job, "retention");
    const again = await post("trigger/retention", { headers });
    assert.deepEqual(again.body, first.body);
    const run = await ended("retention", first.body.scheduledAt);
    assert.deepEqual([run.outcome, run.attempt, run.byHand, run.node], ["succeeded", 1, true, "embedded"]);
    assert.deepEqual(Object.keys(run.result as object), ["rows", "more"]);
    assert.equal((await runsOf("retention")).length, 1);
    const { body } = await get<JobsStatus>("status");
    assert.equal(jobOf(body, "retention").successes, 1);
    assert.equal(body.runs, body.successes + body.failures);
    assert.equal(body.successRate, body.successes / body.runs);
  });

  it("runs one by hand that is off", async () => {
    const { body } = await post<{ scheduledAt: number }>("trigger/prize-check", { body: {} });
    assert.equal((await ended("prize-check", body.scheduledAt)).outcome, "succeeded");
  });

  it("answers with as much history as asked for", async () => {
    for (let at = 0; at < 3; at++) await post("trigger/sessions");
    assert.equal((await get<{ runs: JobRun[] }>("history?limit=2")).body.runs.length, 2);
    const unknown = await get("history?job=none");
    assert.deepEqual([unknown.status, unknown.body.error!.code], [404, "not_found"]);
    const { runs } = (await get<{ runs: JobRun[] }>("history")).body;
    assert.ok(runs.every((run, at) => at === 0 || run.scheduledAt <= runs[at - 1]!.scheduledAt));
  });

  for (const query of [
    "limit=0",
    "limit=201",
    "limit=two",
    "limit=1&limit=2",
    "job=",
    `job=${"j".repeat(33)}`,
    "x=1",
  ]) {
    it(`refuses ${query.slice(0, 20)}, and says which field is wrong`, async () => {
      const { status, body } = await get(`history?${query}`);
      assert.equal(status, 400);
      assert.equal(body.error!.code, "invalid_payload");
      assert.match(JSON.stringify(body.error!.details), new RegExp(query[0] === "x" ? "x" : query.split("=")[0]!));
    });
  }

  it("is the operators' alone", async () => {
    const player = (await node.signIn()).token;
    for (const [token, status] of [
      ["", 401],
      [player, 403],
      [await tokenOf("viewer"), 403],
    ] as const) {
      assert.equal((await node.get("/api/jobs/status", token ? { token } : {})).status, status);
      assert.equal((await node.get("/api/jobs/history", token ? { token } : {})).status, status);
      assert.equal((await node.post("/api/jobs/trigger/sessions", token ? { token } : {})).status, status);
    }
  });

  it("refuses what is not there, and keys and bodies that are no such", async () => {
    assert.equal((await post("trigger/none")).body.error!.code, "not_found");
    assert.equal((await post("trigger/Retention")).status, 404);
    assert.equal((await post("trigger/sessions", { headers: { "Idempotency-Key": "a b" } })).status, 400);
    assert.equal((await post("trigger/sessions", { body: { now: true } })).status, 400);
  });

  it("pauses, skips, triggers and resumes by the room admin, where viewers look on", async () => {
    const admin = await node.client(operator).joinOrCreate("admin");
    const viewer = await node.client(await tokenOf("viewer")).joinOrCreate("admin");
    for (const room of [admin, viewer]) room.onMessage("*", () => {});
    const command = (name: string, job = "retention"): Promise<unknown> =>
      admin.request("command", { name, args: { job } });
    const query = (name: string, args?: object): Promise<unknown> => viewer.request("query", { name, args });
    const retention = async (): Promise<JobSummary> => jobOf((await query("jobs")) as JobsStatus, "retention");

    await command("pauseJob");
    assert.equal((await retention()).paused, true);
    const { scheduledAt } = (await command("triggerJob")) as { scheduledAt: number };
    assert.equal((await ended("retention", scheduledAt)).outcome, "succeeded");
    const { skipped } = (await command("skipJob")) as { skipped: number };
    assert.deepEqual([skipped, skipped], [(await retention()).nextRunAt, (await retention()).skipAt]);
    await command("resumeJob");
    assert.equal((await retention()).paused, false);
    const history = (await query("jobHistory", { limit: 1, job: "retention" })) as JobRun[];
    assert.deepEqual(
      history.map((run) => run.scheduledAt),
      [scheduledAt],
    );
    await assertRefused(admin, "command", { name: "pauseJob", args: { job: "none" } }, "not_found");
    await assertRefused(admin, "command", { name: "pauseJob", args: {} }, "invalid_payload");
    await assertRefused(viewer, "command", { name: "pauseJob", args: { job: "retention" } }, "forbidden");
    await assertRefused(viewer, "query", { name: "jobHistory", args: { limit: 0 } }, "invalid_payload");
    await assertRefused(viewer, "query", { name: "jobHistory", args: { job: "none" } }, "not_found");
    await Promise.all([admin.leave(), viewer.leave()]);
  });

  it("measures runs, failures, durations and lateness by job", async () => {
    const text = await (await fetch(`${node.url}/metrics`)).text();
    assert.match(text, /^job_runs_total\{job="retention"\} [1-9]/m);
    assert.match(text, /^# TYPE job_failures_total counter$/m);
    assert.match(text, /^job_duration_seconds_count\{job="retention"\} [1-9]/m);
    assert.match(text, /^job_lateness_seconds_count\{job="retention"\} [1-9]/m);
  });

  async function assertRefused(room: Room, type: string, payload: object, code: string): Promise<void> {
    await assert.rejects(room.request(type, payload), (error: { reason: { code: string } }) => {
      assert.equal(error.reason.code, code);
      return true;
    });
  }
});
