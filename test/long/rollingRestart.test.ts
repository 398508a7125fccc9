import assert from "node:assert/strict";
import { Cluster, type ClusterNode, sooner } from "../cluster/support.ts";
import { History, named } from "../cluster/supportHistory.ts";
import type { Ticking } from "../cluster/workerActors.ts";

/** Each firing of these is a row of `effects`, so that one that took effect twice is there twice. */
const RECORDED = 300;
/** The firings of the rest are in their states only. */
const PLAIN = 2700;
/** Actors that begin together. */
const CHUNK = 100;
const EVERY_MS = 1000;
const CALLERS = 8;
/** Answers that tell that calls go on. */
const PROGRESS = 40;
/** What no node may have more than, in shares. */
const MOST_SHARES = 1.5;

interface TickingRow {
  id: string;
  owner: string | null;
  state: { ticks: number; ticking: Ticking };
  timer: { due: number };
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

describe("three nodes with 3,000 actors whose timers fire each second, restarted one after the other", function () {
  this.timeout(600_000);
  const [recorded, plain] = [named("recorded", RECORDED), named("plain", PLAIN)];
  const actors = [...recorded, ...plain];
  let cluster: Cluster;
  let history: History;
  let caller: ClusterNode;
  let nodes: ClusterNode[];

  before(async () => {
    cluster = await Cluster.open();
    history = new History(cluster.database);
    const boot = (ids: string[]) => cluster.boot(ids, { balances: true });
    [nodes, [caller]] = (await Promise.all([boot(["a1", "b1", "c1"]), cluster.boot(["caller"], { role: "web" })])) as [
      ClusterNode[],
      [ClusterNode],
    ];
    await cluster.join(...nodes, caller);
    for (const [ids, isPlain] of [
      [recorded, false],
      [plain, true],
    ] as const)
      for (let at = 0; at < ids.length; at += CHUNK)
        await caller.startTicking(ids.slice(at, at + CHUNK), {
          ...{ everyMs: EVERY_MS, first: Date.now() + EVERY_MS, isPlain, policy: "coalesce" },
        });
  });

  after(() => cluster.close());

  it("have each an even part of them a minute later, and lose no call, no firing, and double none", async () => {
    await caller.beginLoad({ targets: actors, callers: CALLERS, withRequestIds: false, deadlineMs: 10_000 });
    await caller.untilAnswered(PROGRESS);
    for (const [at, node] of nodes.entries()) {
      node.program.signal("SIGTERM");
      assert.deepEqual(await node.program.exited, { code: 0, signal: null });
      [nodes[at]] = (await cluster.boot([node.id.replace("1", "2")], { balances: true })) as [ClusterNode];
      await cluster.join(nodes[at]!);
      await cluster.meet(...nodes, caller);
      await caller.untilAnswered(PROGRESS);
    }
    await pause(60_000);
    await assertEven();
    const calls = await caller.endLoad();
    console.log(`      ${calls.length} calls`);
    assert.deepEqual(
      calls.filter(({ codes, value }) => codes.length > 0 || value === undefined),
      [],
      "every call has its answer",
    );
    const applied = await history.effects("name <> 'tick'");
    assert.deepEqual(applied.map(({ name }) => name).sort(), calls.map(({ name }) => name).sort());
    await assertFired();
  });

  async function assertEven(): Promise<void> {
    const owned = await history.owned();
    console.log(`      a minute later: ${JSON.stringify(owned)}`);
    const most = (MOST_SHARES * actors.length) / nodes.length;
    const live = nodes.map(({ id }) => id);
    for (const [id, count] of Object.entries(owned)) {
      assert.ok(live.includes(id), `${id} is gone, and owns ${count}`);
      assert.ok(count <= most, `${id} has ${count} of ${actors.length}`);
    }
  }

  /** Each due time of each actor until now had one firing. On a machine with other work, one may stand for several. */
  async function assertFired(): Promise<void> {
    const now = Date.now();
    const rows = await sooner("all that is due has fired", async () => {
      const all = await ticking();
      return all.every(({ timer }) => timer.due > now) ? all : undefined;
    });
    assert.deepEqual(rows.map(({ id }) => id).sort(), actors.toSorted());
    const wrong = rows.filter(
      ({ state: { ticks, ticking }, timer: { due } }) => due !== ticking.first! + ticks * EVERY_MS,
    );
    assert.deepEqual(wrong, [], "no due time is left out, and none had two firings");
    await history.assertTicksAreWhole(recorded);
  }

  async function ticking(): Promise<TickingRow[]> {
    const rows = await cluster.database.query<{ id: string; owner: string | null; state: string; timers: string }>(
      "SELECT id, owner, state, timers FROM actors WHERE kind = 'counter'",
    );
    return rows.map(({ id, owner, state, timers }) => ({
      ...{ id, owner, state: JSON.parse(state) as TickingRow["state"] },
      timer: (JSON.parse(timers) as [TickingRow["timer"]])[0],
    }));
  }
});
