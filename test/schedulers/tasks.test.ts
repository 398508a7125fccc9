import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import { z } from "zod";
import type { JobRun } from "../../src/entities/jobs/Job.ts";
import { defineTask, type Task, type TaskContext } from "../../src/schedulers/runtime/defineTask.ts";
import { MOST_ACTIVE, MOST_OPEN } from "../../src/schedulers/runtime/TaskActor.ts";
import { JobCluster, type JobNode } from "./simulatedJobs.ts";

const TTL_MS = 3000;
const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
/** One operation of so many is struck, beginning with one that the seed chooses; `STRIDE=1` strikes each. */
const STRIDE = Number(process.env.STRIDE ?? 4);

/** An attempt at a task, as the task itself lives through it. */
interface Attempt {
  node: JobNode;
  key: string;
  to: string;
  attempt: number;
  signal: AbortSignal;
}

describe("tasks (simulated cluster)", () => {
  let cluster: JobCluster;
  /** All attempts, and what a test has the task do. */
  let attempts: Attempt[];
  let work: (attempt: Attempt, context: TaskContext) => Promise<unknown>;

  beforeEach(async () => {
    cluster = await JobCluster.open();
    attempts = [];
    work = async () => "sent";
  });

  afterEach(() => cluster.close());

  const mail = (node: JobNode, options: { retries?: number } = {}): Task =>
    defineTask({
      name: "mail",
      args: z.strictObject({ to: z.string() }),
      retries: 0,
      ...options,
      run: ({ to }, context) => {
        const { key, attempt, signal } = context;
        attempts.push({ node, key, to, attempt, signal });
        return work(attempts.at(-1)!, context);
      },
    });

  const start = (id: string, options: { retries?: number } = {}): Promise<JobNode> =>
    cluster.start(id, [], new Map(), (node) => [mail(node, options)]);

  const lasting =
    (ms: number): typeof work =>
    ({ node }) =>
      new Promise((resolve) => void node.clock.schedule(() => resolve("sent"), ms));

  const enqueue = (node: JobNode, to = "ann", options: { at?: number; key?: string } = {}) =>
    cluster.within(10_000, node.jobs.enqueue("mail", { to }, options));

  const fails: typeof work = () => Promise.reject(new Error("no luck"));

  /** Keys of one shard. */
  const sameShard = (count: number): string[] =>
    Array.from({ length: 100 * count }, (_, at) => `k${at}`)
      .filter((key) => crc32(key) % 16 === 3)
      .slice(0, count);

  const outcomesOf = (runs: readonly JobRun[]) => runs.map(({ outcome, attempt }) => [outcome, attempt]);

  it("run once by their key, however often and wherever they are enqueued", async () => {
    const nodes = [await start("a"), await start("b")];
    const first = await enqueue(nodes[0]!, "ann", { key: "k" });
    for (const node of [...nodes, ...nodes]) {
      assert.deepEqual(await enqueue(node, "ann", { key: "k" }), { ...first, isRepeat: true });
      await cluster.clock.advance(300);
    }
    assert.equal(first.isRepeat, false);
    assert.deepEqual(
      attempts.map(({ key, to, attempt }) => ({ key, to, attempt })),
      [{ key: "k", to: "ann", attempt: 1 }],
    );
    const [run, ...others] = await cluster.runs("mail");
    assert.deepEqual(others, []);
    assert.deepEqual(
      [run!.task, run!.outcome, run!.attempt, run!.result, run!.scheduledAt, run!.byHand],
      ["k", "succeeded", 1, "sent", first.scheduledAt, false],
    );
    assert.deepEqual(await nodes[0]!.jobs.history(5, "mail"), [run]);
  });

  it("are a conflict when the same key comes with other args", async () => {
    const node = await start("a");
    await enqueue(node, "ann", { key: "k" });
    await assert.rejects(enqueue(node, "bob", { key: "k" }), { code: "conflict" });
    await cluster.clock.advance(1000);
    assert.deepEqual(
      attempts.map(({ to }) => to),
      ["ann"],
    );
  });

  it("without a key are tasks of their own", async () => {
    const node = await start("a");
    const keys = [(await enqueue(node)).key, (await enqueue(node)).key];
    await cluster.clock.advance(1000);
    assert.deepEqual(attempts.map(({ key }) => key).sort(), keys.sort());
    assert.notEqual(keys[0], keys[1]);
  });

  it("of one time have a run each", async () => {
    const node = await start("a");
    const at = cluster.clock.now() + 5000;
    for (let of = 0; of < 30; of++) await enqueue(node, "ann", { key: `k${of}`, at });
    await cluster.clock.advance(8000);
    const runs = await cluster.runs("mail");
    assert.deepEqual([runs.length, new Set(runs.map(({ task }) => task)).size], [30, 30]);
    assert.ok(runs.every(({ outcome, scheduledAt }) => outcome === "succeeded" && scheduledAt === at));
  });

  it("wait for their time, though the node that took them dies meanwhile", async () => {
    const nodes = [await start("a"), await start("b")];
    const at = cluster.clock.now() + 60_000;
    await enqueue(nodes[0]!, "ann", { key: "later", at });
    await nodes[0]!.crash();
    await cluster.clock.advance(59_000);
    assert.deepEqual(attempts, []);
    await cluster.clock.advance(5000);
    const [run] = await cluster.runs("mail");
    assert.deepEqual([run!.scheduledAt, run!.outcome, attempts.length], [at, "succeeded", 1]);
    assert.ok(run!.startedAt! >= at && run!.latenessMs === run!.startedAt! - at);
  });

  it("that are enqueued for a time that has passed run at once", async () => {
    const node = await start("a");
    await enqueue(node, "ann", { at: 0 });
    await cluster.clock.advance(500);
    assert.deepEqual(outcomesOf(await cluster.runs("mail")), [["succeeded", 1]]);
  });

  it("are refused with args, keys and times that are not as they should be", async () => {
    const node = await start("a");
    const far = cluster.clock.now() + 400 * 86_400_000;
    const circular: { to?: unknown } = {};
    circular.to = circular;
    for (const [args, options] of [
      [{ to: 7 }, {}],
      [{ to: "ann", cc: "bob" }, {}],
      [undefined, {}],
      [circular, {}],
      [{ to: "é".repeat(8200) }, {}],
      [{ to: "ann" }, { key: "" }],
      [{ to: "ann" }, { key: "a b" }],
      [{ to: "ann" }, { key: "k".repeat(65) }],
      [{ to: "ann" }, { at: far }],
      [{ to: "ann" }, { at: Number.NaN }],
    ] as const)
      await assert.rejects(node.jobs.enqueue("mail", args, options), { code: "invalid_payload" });
    await assert.rejects(node.jobs.enqueue("fax", {}), { code: "not_found" });
    assert.deepEqual(await cluster.runs(), []);
  });

  it("that fail are tried again after longer and longer waits, and then are dead letters", async () => {
    work = fails;
    const node = await start("a", { retries: 2 });
    await enqueue(node, "ann", { key: "k" });
    await cluster.clock.advance(100);
    assert.deepEqual(outcomesOf(await cluster.runs("mail")), [["retrying", 1]]);
    await cluster.clock.advance(20_000);
    assert.deepEqual(outcomesOf(await cluster.runs("mail")), [["dead", 3]]);
    assert.deepEqual(
      attempts.map(({ attempt }) => attempt),
      [1, 2, 3],
    );
    const [letter, ...others] = await node.jobs.tasks.list(10);
    assert.deepEqual(others, []);
    assert.deepEqual(
      { ...letter, createdAt: 0, diedAt: 0 },
      { name: "mail", key: "k", createdAt: 0, diedAt: 0, attempts: 3, error: "no luck" },
    );
    assert.equal(node.buried, 1);
    const { events } = await cluster.feed.read("jobs", undefined);
    assert.deepEqual(
      events.map(({ type, data }) => [type, (data as { task: string }).task]),
      [["dead", "k"]],
    );
  });

  it("that are dead are replayed under their old key, their attempts counted on, and enqueued again are not", async () => {
    work = fails;
    const node = await start("a");
    await enqueue(node, "ann", { key: "k" });
    await cluster.clock.advance(1000);
    assert.equal((await enqueue(node, "ann", { key: "k" })).isRepeat, true);
    await cluster.clock.advance(1000);
    assert.equal(attempts.length, 1);
    work = async () => "sent";
    await cluster.within(1000, node.jobs.tasks.replay("mail", "k"));
    await cluster.clock.advance(1000);
    assert.deepEqual(
      attempts.map(({ key, attempt }) => [key, attempt]),
      [
        ["k", 1],
        ["k", 2],
      ],
    );
    const runs = await cluster.runs("mail");
    assert.deepEqual(
      runs.map(({ outcome, attempt, byHand }) => [outcome, attempt, byHand]),
      [
        ["dead", 1, false],
        ["succeeded", 2, true],
      ],
    );
    assert.deepEqual(await node.jobs.tasks.list(10), []);
    for (const verb of ["replay", "discard"] as const)
      await assert.rejects(cluster.within(1000, node.jobs.tasks[verb]("mail", "k")), { code: "not_found" });
  });

  it("that are discarded never run again", async () => {
    work = fails;
    const node = await start("a");
    await enqueue(node, "ann", { key: "k" });
    await cluster.clock.advance(1000);
    await cluster.within(1000, node.jobs.tasks.discard("mail", "k"));
    assert.deepEqual(await node.jobs.tasks.list(10), []);
    assert.equal((await enqueue(node, "ann", { key: "k" })).isRepeat, true);
    await cluster.clock.advance(5000);
    assert.equal(attempts.length, 1);
    for (const verb of ["replay", "discard"] as const)
      await assert.rejects(cluster.within(1000, node.jobs.tasks[verb]("mail", "k")), { code: "not_found" });
  });

  it("run so many at a time, and the others after them", async () => {
    work = lasting(5000);
    const node = await start("a");
    const keys = sameShard(3 * MOST_ACTIVE);
    for (const key of keys) await enqueue(node, "ann", { key });
    assert.equal(attempts.length, MOST_ACTIVE);
    await cluster.clock.advance(20_000);
    assert.deepEqual(attempts.map(({ key }) => key).sort(), keys.sort());
    assert.ok((await cluster.runs("mail")).every(({ outcome }) => outcome === "succeeded"));
  });

  it("are refused while too many are not over, dead letters among them, but for repeats", async () => {
    work = fails;
    const node = await start("a");
    const [first, dead, another] = sameShard(3);
    await enqueue(node, "ann", { key: first!, at: cluster.clock.now() + 1_000_000 });
    await enqueue(node, "ann", { key: dead! });
    await cluster.clock.advance(1000);
    // By then its actor has been let go, and is loaded anew.
    await cluster.clock.advance(120_000);
    await cluster.database.write("UPDATE actors SET state = REPLACE(state, '\"open\":2', ?) WHERE kind = 'task'", [
      `"open":${MOST_OPEN}`,
    ]);
    await assert.rejects(enqueue(node, "ann", { key: another! }), { code: "overloaded" });
    assert.equal((await enqueue(node, "ann", { key: first! })).isRepeat, true);
    await cluster.within(1000, node.jobs.tasks.discard("mail", dead!));
    await enqueue(node, "ann", { key: another! });
  });

  it("are taken over when their node dies, as a further attempt, from where they were", async () => {
    const seen: unknown[] = [];
    work = async (attempt, context) => {
      seen.push(context.earlierProgress);
      context.progress({ upTo: attempt.attempt });
      return lasting(5000)(attempt, context);
    };
    const nodes = [await start("a"), await start("b")];
    await enqueue(nodes[0]!, "ann", { key: "k" });
    await cluster.clock.advance(2000);
    const { node: here } = attempts[0]!;
    await here.crash();
    await cluster.clock.advance(TTL_MS + 10_000);
    const [run, ...others] = await cluster.runs("mail");
    assert.deepEqual(others, []);
    assert.deepEqual([run!.outcome, run!.attempt], ["succeeded", 2]);
    assert.deepEqual(
      attempts.map(({ key, attempt, node }) => [key, attempt, node === here]),
      [
        ["k", 1, true],
        ["k", 2, false],
      ],
    );
    assert.deepEqual(seen, [null, { upTo: 1 }]);
  });

  it("move at once when their node drains, and that is not held against them", async () => {
    work = lasting(4000);
    const nodes = [await start("a"), await start("b")];
    for (const key of ["k", "l", "m", "n"]) await enqueue(nodes[0]!, "ann", { key });
    await cluster.clock.advance(100);
    const { node: here } = attempts[0]!;
    const there = attempts.filter(({ node }) => node === here).length;
    await cluster.within(2000, here.node.actors.drain());
    await cluster.clock.advance(500);
    const others = attempts.filter(({ node }) => node !== here);
    assert.equal(others.filter(({ attempt }) => attempt === 2).length, there);
    await cluster.clock.advance(6000);
    assert.ok((await cluster.runs("mail")).every(({ outcome }) => outcome === "succeeded"));
    assert.deepEqual((await cluster.feed.read("jobs", undefined)).events, []);
  });

  it("that kill every node they run on are dead letters after three, and those beside them succeed", async () => {
    const [poison, ...others] = sameShard(5);
    work = async (attempt, context) => {
      if (attempt.key !== poison) return lasting(1500)(attempt, context);
      await attempt.node.crash();
      return undefined;
    };
    let node = await start("n0");
    for (const key of others) await enqueue(node, "ann", { key });
    node.jobs.enqueue("mail", { to: "ann" }, { key: poison! }).catch(() => {});
    for (let at = 1; at <= 4; at++) {
      await cluster.clock.advance(1000);
      node = await start(`n${at}`);
      await cluster.clock.advance(TTL_MS + 20_000);
    }
    assert.equal(node.node.crashed, false);
    assert.equal(attempts.filter(({ key }) => key === poison).length, 3);
    const [letter, ...more] = await node.jobs.tasks.list(10);
    assert.deepEqual([letter!.key, letter!.attempts, more], [poison, 3, []]);
    assert.match(letter!.error, /died 3 times/);
    const runs = (await cluster.runs("mail")).filter(({ task }) => task !== poison);
    assert.deepEqual([runs.length, runs.every(({ outcome }) => outcome === "succeeded")], [others.length, true]);
  });

  it("whose end nobody answers are not repeated", async () => {
    work = lasting(1000);
    const node = await start("a");
    await enqueue(node, "ann", { key: "k" });
    let lost = 0;
    const { ran } = node;
    node.life.onOperation = (when) => {
      if (when !== "after" || ran.length === 0 || lost >= 12) return undefined;
      lost += 1;
      return lost % 2 === 1 ? "lose connection" : undefined;
    };
    await cluster.clock.advance(20_000);
    assert.equal(lost, 12);
    assert.deepEqual(outcomesOf(await cluster.runs("mail")), [["succeeded", 1]]);
    assert.equal(attempts.length, 1);
  });

  describe("at every operation on the database", () => {
    before(() => console.log(`      seed ${SEED} (SEED=${SEED} replays)`));

    /** Enqueues by one key, now here and now there, until that is answered; strikes operation `at` of those of both nodes. */
    async function scenario(
      at: number,
      when: "before" | "after",
      befall: (node: JobNode) => unknown,
    ): Promise<boolean> {
      work = async (attempt, context) => {
        await lasting(30)(attempt, context);
        if (attempt.attempt === 1) throw new Error("at first");
        return "sent";
      };
      const nodes = await Promise.all(["a", "b"].map((id) => start(id, { retries: 1 })));
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
      for (let tries = 0; ; tries++) {
        const asked = nodes[tries % 2]!.jobs.enqueue("mail", { to: "ann" }, { key: "k" });
        const answer = await cluster.within(12_000, asked).catch((error: unknown) => error as Error);
        if (!(answer instanceof Error)) break;
        assert.ok(tries < 20, `${answer}`);
        await cluster.clock.advance(200);
      }
      await cluster.clock.advance(2000);
      for (const node of nodes) node.life.onOperation = () => undefined;
      await cluster.clock.advance(7000);
      for (const node of nodes) node.life.wake();
      await cluster.clock.advance(5000);
      return hasStruck;
    }

    for (const [mishap, befall] of [
      ["the node dies", () => "crash"],
      ["the connection is lost", () => "lose connection"],
      ["the node stalls", (node: JobNode) => void node.life.stall()],
    ] as const) {
      for (const when of ["before", "after"] as const) {
        it(`a task is done once it is answered, and no attempt doubled, when ${mishap} ${when} it`, async function () {
          this.timeout(120_000);
          let at = SEED % STRIDE;
          for (; ; at += STRIDE) {
            const hasStruck = await scenario(at, when, befall);
            const runs = await cluster.runs("mail");
            assert.deepEqual([runs.length, runs[0]!.outcome], [1, "succeeded"], `operation ${at}`);
            const numbers = attempts.map(({ attempt }) => attempt);
            assert.equal(new Set(numbers).size, numbers.length, `operation ${at}: attempts ${numbers}`);
            assert.ok(runs[0]!.attempt >= Math.max(...numbers) && numbers.length <= 4, `operation ${at}: ${numbers}`);
            if (!hasStruck) break;
            await cluster.close();
            cluster = await JobCluster.open();
            attempts = [];
          }
          assert.ok(at > 20, `only ${at} operations`);
        });
      }
    }
  });
});
