import assert from "node:assert/strict";
import { itMeanwhile } from "../support/meanwhile.ts";
import { Cluster, type ClusterNode, sooner } from "./support.ts";
import { History, longestPauseOfAny, named, withCluster } from "./supportHistory.ts";
import type { WorkerAnswer } from "./workerProtocol.ts";

describe("actors on a cluster whose nodes die or stop", function () {
  this.timeout(120_000);
  let cluster: Cluster;
  let history: History;

  beforeEach(async () => {
    cluster = await Cluster.open();
    history = new History(cluster.database);
  });

  afterEach(() => cluster.close());

  it("brings an actor to life once under 1,000 concurrent first calls from 3 nodes", async () => {
    const nodes = await cluster.boot(["a", "b", "c"]);
    await cluster.join(...nodes);
    const answers = await Promise.all(
      nodes.map((node, at) => {
        const calls = Array.from({ length: at === 0 ? 334 : 333 }, (_, call) => ({
          kind: "counter",
          actor: "hot",
          method: "add",
          args: [`${node.id}${call}`],
          options: { deadlineMs: 60_000 },
        }));
        return node.ask({ op: "calls", calls });
      }),
    );
    assert.deepEqual(
      valuesOf(answers.flat()),
      Array.from({ length: 1000 }, (_, at) => at + 1),
    );
    const { epoch, owner } = (await history.actors()).get("hot")!;
    assert.equal(epoch, 1);
    const effects = await history.effects();
    assert.equal(new Set(effects.map(({ name }) => name)).size, 1000);
    assert.equal(effects.length, 1000);
    assert.deepEqual([...new Set(effects.map(({ node }) => node))], [owner]);
  });

  it("fires every timer of a killed node again, each firing once and none left out", async () => {
    const actors = named("t", 100);
    const [a, b, c] = await cluster.boot(["a", "b", "c"]);
    await cluster.join(a!);
    await a!.startTicking(actors, { everyMs: 500 });
    await cluster.join(b!, c!);
    await cluster.meet(a!, b!, c!);
    await history.untilTicked(actors, 3);
    assert.deepEqual(await history.owned(), { a: 100 });
    const killedAt = Date.now();
    await a!.kill();
    await sooner("each actor fires on another node", async () => {
      const heirs = await history.effects("node <> 'a' AND name = 'tick'");
      return new Set(heirs.map(({ actor }) => actor)).size === actors.length;
    });
    await history.untilTicked(actors, 8);
    await history.assertTicksAreWhole(actors);
    const ticks = await history.effects("name = 'tick'");
    // What the machine is late by when nobody dies is no fault of the takeover.
    const lateness = longestPauseOfAny(ticks.filter(({ at }) => at < killedAt)) - 500;
    const pause = longestPauseOfAny(ticks);
    console.log(`      longest pause of a timer ${pause} ms, and ${lateness} ms of lateness before the kill`);
  });
});

describe("actors on a cluster one of whose nodes stands still", function () {
  this.timeout(120_000);

  /**
   * A node with 30 actors that tick, and one that is called, is stopped when all of the 30 are in the middle of a firing, six
   * with their row locked. Its peers take them over; then it wakes, and what it was in the middle of goes on.
   */
  async function stopInTurnsAndWake(
    cluster: Cluster,
    history: History,
    unfenced: boolean,
  ): Promise<{ woken: ClusterNode; actors: string[] }> {
    const [pausing, locking] = [named("pausing", 24), named("locking", 6)];
    const actors = [...pausing, ...locking];
    const [a, b, c] = await cluster.boot(["a", "b", "c"], { unfenced });
    await cluster.join(a!);
    await a!.call({ kind: "counter", actor: "called", method: "add", args: ["before the stop"] });
    const first = Date.now() + 500;
    await a!.startTicking(pausing, { everyMs: 500, first, pauseMs: 50 });
    await a!.startTicking(locking, { everyMs: 500, first, pauseMs: 50, holdsLock: true });
    await cluster.join(b!, c!);
    await cluster.meet(a!, b!, c!);
    await history.untilTicked(actors, 2);
    await a!.stallInTurns(actors.length);
    const stoppedAt = performance.now();
    assert.ok((await history.openWrites()) >= locking.length, "the stopped node holds locks");
    await sooner("the peers fire what the stopped node owned", async () => {
      const heirs = await history.effects("node <> 'a' AND name = 'tick'");
      return new Set(heirs.map(({ actor }) => actor)).size === actors.length;
    });
    await b!.call({ kind: "counter", actor: "called", method: "add", args: ["during the stop"] });
    await sooner("7 s are over", () => performance.now() - stoppedAt >= 7000);
    a!.program.signal("SIGCONT");
    await sooner("the woken node has ended the turns it was in", async () => (await a!.ask({ op: "middle" })) === 0);
    return { woken: a!, actors };
  }

  itMeanwhile("drops the activations of a node that was stopped for 7 s, and nothing takes effect twice", () =>
    withCluster({}, async (cluster, history) => {
      const { woken, actors } = await stopInTurnsAndWake(cluster, history, false);
      await sooner("the woken node has no actor in memory but what it owns", async () => {
        const owned = (await history.owned())[woken.id] ?? 0;
        return (await woken.ask({ op: "residents" })) === owned && (await woken.ask({ op: "nodes" })).length === 3;
      });
      await history.untilTicked(actors, 4);
      await history.assertTicksAreWhole(actors);
      assert.equal(await woken.call({ kind: "counter", actor: "called", method: "read", args: [] }), 2);
      const kept = [...(await history.actors()).values()].filter(({ epoch }) => epoch === 1);
      assert.deepEqual(kept, [], "every actor has a new epoch");
    }),
  );

  itMeanwhile("shows doubles in that very run when the epoch-and-version check is taken out", () =>
    withCluster({}, async (cluster, history) => {
      const { actors } = await stopInTurnsAndWake(cluster, history, true);
      await sooner("an effect happens twice", async () => (await history.doubles()).length > 0);
      await assert.rejects(history.assertTicksAreWhole(actors), /nothing took effect twice/);
    }),
  );
});

/** The answers as numbers, the smallest first. */
function valuesOf(answers: readonly WorkerAnswer[]): number[] {
  return answers
    .map((answer) => {
      if ("code" in answer) throw new Error(`${answer.code}: ${answer.message}`);
      return answer.value as number;
    })
    .sort((a, b) => a - b);
}
