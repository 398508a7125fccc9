import assert from "node:assert/strict";
import { itMeanwhile } from "../support/meanwhile.ts";
import { Cluster, sooner } from "./support.ts";
import { History, longestPauseOfAny, named, withCluster } from "./supportHistory.ts";
import type { LoadRecord, WorkerCall } from "./workerProtocol.ts";

/** A node that says nothing counts as dead after this. How long a handover takes is measured by chaos. */
const VERDICT_MS = 3000;

describe("what a node of a cluster leaves to its peers", function () {
  this.timeout(120_000);
  let cluster: Cluster;
  let history: History;

  async function open(options: { ttlMs?: number } = {}): Promise<void> {
    cluster = await Cluster.open(options);
    history = new History(cluster.database);
  }

  afterEach(() => cluster.close());

  it("has its actors at work elsewhere after SIGTERM sooner than a decision of death would, and loses no reply", async () => {
    await open();
    const [ticking, called] = [named("t", 20), named("x", 30)];
    const [a, b, c] = await cluster.boot(["a", "b", "c"]);
    await cluster.join(a!);
    await a!.startTicking(ticking, { everyMs: 500 });
    for (const actor of called) await a!.call({ kind: "counter", actor, method: "add", args: ["first"] });
    await cluster.join(b!, c!);
    await cluster.meet(a!, b!, c!);
    const load = { targets: called, callers: 12, withRequestIds: false, deadlineMs: 10_000 };
    for (const node of [b!, c!]) await node.beginLoad(load);
    for (const node of [b!, c!]) await node.untilAnswered(100);
    const before = await history.owned();
    const told = Date.now();
    a!.program.signal("SIGTERM");
    assert.deepEqual(await a!.program.exited, { code: 0, signal: null });
    const exitedAfter = Date.now() - told;
    await sooner("each actor that is called is at work elsewhere", async () => {
      const heirs = await history.effects("node <> 'a' AND name <> 'tick'");
      return new Set(heirs.map(({ actor }) => actor)).size === called.length;
    });
    const records = (await Promise.all([b!.endLoad(), c!.endLoad()])).flat();
    await history.untilTicked(ticking, 3);
    assert.deepEqual(before, { a: ticking.length + called.length });
    assert.deepEqual(
      records.filter(({ codes }) => codes.length > 0),
      [],
      "every call has its answer",
    );
    assert.equal((await history.owned()).a, undefined, "nothing is left behind");
    await history.assertTicksAreWhole(ticking);
    const wasBefore = ({ startedAt, tookMs }: LoadRecord) => startedAt + tookMs < told;
    // What a call takes on this machine when nothing happens is no fault of the hand-over.
    const usual = longest(records.filter(wasBefore));
    const slowest = longest(records.filter((record) => !wasBefore(record)));
    const pause = longestPauseOfAny(await history.effects("name = 'tick'"));
    console.log(
      `      slowest of ${records.length} calls ${slowest} ms (${usual} ms before the signal), ` +
        `longest pause of a timer ${pause} ms, exit after ${exitedAfter} ms`,
    );
    assert.ok(slowest < VERDICT_MS + usual, `a call took ${slowest} ms`);
    assert.ok(pause < VERDICT_MS + 500 + usual, `a timer paused for ${pause} ms`);
  });

  it("delivers what killed nodes had committed, once, whether or not it was out already", async () => {
    await open({ ttlMs: 1000 });
    const [before] = await cluster.boot(["before"], { feed: "hangs" });
    const [after] = await cluster.boot(["after"], { feed: "hangs after append" });
    const [heir] = await cluster.boot(["heir"], { feed: "redis" });
    await cluster.join(before!);
    await before!.call(announcement("not out"));
    await before!.kill();
    await cluster.join(after!);
    await after!.call(announcement("out"));
    await sooner("the event is out", async () => (await news()).includes("out"));
    await after!.kill();
    assert.equal(await history.undelivered(), 2);
    await cluster.join(heir!);
    await sooner("the outbox is empty", async () => (await history.undelivered()) === 0);
    assert.deepEqual((await news()).toSorted(), ["not out", "out"]);
  });

  async function news(): Promise<string[]> {
    const { events } = await cluster.feed.read("news", undefined);
    return events.map(({ data }) => (data as { text: string }).text);
  }
});

describe("an actor of a cluster that kills its nodes", function () {
  this.timeout(120_000);

  itMeanwhile("is quarantined after 3 adoptions that crashed, and those that lived beside it live on", () =>
    withCluster({ ttlMs: 2000 }, async (cluster, history) => {
      const actors = named("t", 40);
      const poison = { kind: "poison", actor: "p", args: [] };
      const [first, second, ...others] = await cluster.boot(named("n", 6));
      let [victim, heir] = [first!, second!];
      await cluster.join(victim);
      await victim.startTicking(actors, { everyMs: 500 });
      await victim.call({ ...poison, method: "plant" });
      await cluster.join(heir);
      for (let adoptions = 0; adoptions <= 3; adoptions += 1) {
        await cluster.meet(victim, heir);
        // Everything lives on one node, and dies with it: the others look just as suspect.
        assert.deepEqual(await history.owned(), { [victim.id]: actors.length + 1 });
        await assert.rejects(heir.call({ ...poison, method: "die" }), { code: "outcome_unknown" });
        await victim.program.exited;
        await sooner(
          "the heir has all actors that tick",
          async () => (await history.owned())[heir.id]! >= actors.length,
        );
        [victim, heir] = [heir, others.shift()!];
        await cluster.join(heir);
      }
      await assert.rejects(heir.call({ ...poison, method: "die" }), { code: "actor_quarantined" });
      await history.untilTicked(actors, 4);
      await history.assertTicksAreWhole(actors);
      assert.ok((await history.owned())[victim.id]! >= actors.length, "nobody else died");
    }),
  );
});

/** In whole milliseconds. */
function longest(calls: readonly LoadRecord[]): number {
  return Math.round(Math.max(0, ...calls.map(({ tookMs }) => tookMs)));
}

function announcement(text: string): WorkerCall {
  return { kind: "counter", actor: text, method: "announce", args: ["news", text] };
}
