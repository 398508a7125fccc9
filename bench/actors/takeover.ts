import { systemClock } from "../../src/clock.ts";
import { Cluster, type ClusterNode } from "../../test/cluster/support.ts";

export interface TakeoverOptions {
  actors: number;
  /** From one firing of an actor's timer to the next, in milliseconds. */
  periodMs: number;
  databaseUrl: string;
}

/** What one kill cost the actors of its node: milliseconds from the kill, or the due time where that is later, to the turn elsewhere. */
export interface Takeover {
  /** How long after the kill before. */
  apartMs: number;
  p50: number;
  p99: number;
  max: number;
}

const KILLS = 3;
/** How long what was taken over goes on before the next kill, in milliseconds. */
const APART_MS = 5000;
const DEADLINE_MS = 240_000;
/** Seldom: it reads all that has happened. */
const LOOK_EVERY_MS = 1000;
/** Rows inserted at once. */
const BATCH = 500;
/** How long nodes have to adopt what is due from then on, in milliseconds. */
const BEGIN_MS = 5000;

interface Firing {
  actor: string;
  seq: number;
  at: number;
}

/** Kills the node that has all actors, three times, each time once another one has all of them. */
export async function benchTakeover(
  options: TakeoverOptions,
  begun: (redisUrl: string) => Promise<void>,
): Promise<Takeover[]> {
  const cluster = await Cluster.open({ databaseUrl: options.databaseUrl });
  try {
    await begun(cluster.redis.url);
    const first = await populate(cluster, options);
    const ids = ["n0", "n1", "n2", "n3"].slice(0, KILLS + 1);
    let [node] = await cluster.boot([ids[0]!]);
    await cluster.join(node!);
    await untilAllFired(cluster, options, ids[0]!, systemClock.now());
    const takeovers: Takeover[] = [];
    let before = systemClock.now();
    for (let kill = 1; kill <= KILLS; kill++) {
      const [heir] = await cluster.boot([ids[kill]!]);
      await cluster.join(heir!);
      await cluster.meet(node!, heir!);
      const killedAt = systemClock.now();
      takeovers.push(await takeOver(cluster, options, { node: node!, heir: heir!, first, killedAt, before }));
      before = killedAt;
      node = heir;
      await pause(APART_MS);
    }
    return takeovers;
  } finally {
    await cluster.close();
  }
}

/** Returns when each timer is due first, by the actor's number. */
async function populate(cluster: Cluster, { actors, periodMs }: TakeoverOptions): Promise<(at: number) => number> {
  const start = systemClock.now() + BEGIN_MS;
  const first = (at: number): number => Math.round(start + (at * periodMs) / actors);
  for (let from = 0; from < actors; from += BATCH) {
    const numbers = Array.from({ length: Math.min(BATCH, actors - from) }, (_, at) => from + at);
    await cluster.database.write(
      `INSERT INTO actors (kind, id, owner, epoch, version, state, timers, due_at, crashes, created_at, updated_at)
       VALUES ${numbers.map(() => "('counter', ?, NULL, 1, 0, ?, ?, ?, 0, 0, 0)").join(", ")}`,
      numbers.flatMap((at) => [
        `a${at}`,
        JSON.stringify({ count: 0, ticks: 0, ticking: { everyMs: periodMs } }),
        JSON.stringify([{ name: "tick", due: first(at), seq: 1, every: periodMs, policy: "fire" }]),
        first(at),
      ]),
    );
  }
  return first;
}

async function untilAllFired(
  cluster: Cluster,
  { actors }: TakeoverOptions,
  node: string,
  since: number,
): Promise<void> {
  const patient = systemClock.monotonic() + DEADLINE_MS;
  while (systemClock.monotonic() < patient) {
    const [row] = await cluster.database.query<{ count: number }>(
      "SELECT COUNT(DISTINCT actor) AS count FROM effects WHERE node = ? AND at >= ?",
      [node, since],
    );
    if (Number(row!.count) === actors) return;
    await pause(LOOK_EVERY_MS);
  }
  throw new Error(`not all actors have fired on ${node} within ${DEADLINE_MS} ms`);
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => void systemClock.schedule(resolve, ms));

async function takeOver(
  cluster: Cluster,
  options: TakeoverOptions,
  {
    node,
    heir,
    first,
    killedAt,
    before,
  }: { node: ClusterNode; heir: ClusterNode; first(at: number): number; killedAt: number; before: number },
): Promise<Takeover> {
  await node.kill();
  await untilAllFired(cluster, options, heir.id, killedAt);
  const firings = await cluster.database.query<Firing>(
    "SELECT actor, MIN(seq) AS seq, MIN(at) AS at FROM effects WHERE node = ? AND at >= ? GROUP BY actor",
    [heir.id, killedAt],
  );
  const silences = firings
    .map(({ actor, seq, at }) => {
      const due = first(Number(actor.slice(1))) + (Number(seq) - 1) * options.periodMs;
      return Number(at) - Math.max(due, killedAt);
    })
    .sort((one, other) => one - other);
  const part = (share: number): number => silences[Math.min(silences.length - 1, Math.floor(share * silences.length))]!;
  return { apartMs: killedAt - before, p50: part(0.5), p99: part(0.99), max: silences.at(-1)! };
}
