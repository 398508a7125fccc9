import { setTimeout as sleep } from "node:timers/promises";
import { createConnection } from "mysql2/promise";
import type { Rng } from "../../src/clock.ts";
import type { ChaosCluster } from "./ChaosCluster.ts";
import { NODES } from "./ChaosCluster.ts";

export interface Fault {
  readonly name: string;
  /** Comes only where the database has a disk of its own, which root alone may mount. */
  readonly needsDisk?: boolean;
  /** Has it begin and end, with chance of `rng`; resolves once it is over. Answers what it did. */
  strike(cluster: ChaosCluster, rng: Rng): Promise<string>;
}

const ADMINISTER_TRIES = 100;
const ADMINISTER_AGAIN_MS = 200;

const between = (rng: Rng, least: number, most: number): number => Math.round(least + rng.next() * (most - least));
const someNode = (rng: Rng): number => Math.floor(rng.next() * NODES);

/** Makes a fault that lasts for a time, in milliseconds. */
function lasting(
  name: string,
  [least, most]: readonly [number, number],
  begin: (cluster: ChaosCluster, node: number) => Promise<unknown> | unknown,
  end: (cluster: ChaosCluster, node: number) => Promise<unknown> | unknown,
): Fault {
  return {
    name,
    async strike(cluster, rng) {
      const [node, ms] = [someNode(rng), between(rng, least, most)];
      await begin(cluster, node);
      await sleep(ms);
      await end(cluster, node);
      return `n${node}, ${ms} ms`;
    },
  };
}

const ofDatabase = (cluster: ChaosCluster, node: number) => cluster.links[node]!.database;
const ofRedis = (cluster: ChaosCluster, node: number) => cluster.links[node]!.redis;
const program = (cluster: ChaosCluster, node: number) => cluster.places[node]!.node.program;

/** Everything that can go wrong, on real processes and servers. A later domain's own faults are added here. */
export const FAULTS: readonly Fault[] = [
  lasting(
    "node-killed",
    [500, 5000],
    (cluster, node) => program(cluster, node).kill(),
    (cluster, node) => cluster.startNode(node),
  ),
  {
    name: "node-killed-twice",
    async strike(cluster, rng) {
      const first = someNode(rng);
      const second = (first + 1 + Math.floor(rng.next() * (NODES - 1))) % NODES;
      const ms = between(rng, 500, 5000);
      await program(cluster, first).kill();
      await sleep(ms);
      await program(cluster, second).kill();
      await Promise.all([first, second].map((node) => cluster.startNode(node)));
      return `n${first}, and n${second} ${ms} ms later`;
    },
  },
  lasting(
    "node-stalled",
    [1000, 20_000],
    (cluster, node) => program(cluster, node).signal("SIGSTOP"),
    (cluster, node) => program(cluster, node).signal("SIGCONT"),
  ),
  {
    name: "nodes-replaced",
    async strike(cluster) {
      const codes: (number | string | null)[] = [];
      for (let node = 0; node < NODES; node += 1) {
        program(cluster, node).signal("SIGTERM");
        const { code, signal } = await program(cluster, node).exited;
        codes.push(code ?? signal);
        await cluster.startNode(node);
      }
      return `they ended with ${codes}`;
    },
  },
  lasting(
    "redis-killed",
    [0, 6000],
    ({ redis }) => redis.kill(),
    ({ redis }) => redis.restart(),
  ),
  lasting(
    "redis-stalled",
    [1000, 10_000],
    ({ redis }) => redis.freeze(),
    ({ redis }) => redis.thaw(),
  ),
  lasting(
    "redis-cut",
    [1000, 15_000],
    (cluster, node) => ofRedis(cluster, node).refuse(),
    (cluster, node) => ofRedis(cluster, node).heal(),
  ),
  lasting(
    "redis-black-hole",
    [1000, 15_000],
    (cluster, node) => ofRedis(cluster, node).blackHole(),
    (cluster, node) => ofRedis(cluster, node).heal(),
  ),
  lasting(
    "database-cut",
    [1000, 20_000],
    (cluster, node) => ofDatabase(cluster, node).refuse(),
    (cluster, node) => ofDatabase(cluster, node).heal(),
  ),
  lasting(
    "database-black-hole",
    [1000, 20_000],
    (cluster, node) => ofDatabase(cluster, node).blackHole(),
    (cluster, node) => ofDatabase(cluster, node).heal(),
  ),
  lasting(
    "database-connections-silent",
    [1000, 5000],
    (cluster, node) => ofDatabase(cluster, node).silence(),
    () => {},
  ),
  lasting(
    "database-slow",
    [2000, 10_000],
    (cluster, node) => ofDatabase(cluster, node).delay(150),
    (cluster, node) => ofDatabase(cluster, node).heal(),
  ),
  lasting(
    "commit-unanswered",
    [500, 2000],
    (cluster, node) => ofDatabase(cluster, node).swallowAnswers("COMMIT", 2),
    (cluster, node) => ofDatabase(cluster, node).heal(),
  ),
  lasting(
    "database-stalled",
    [1000, 35_000],
    ({ server }) => server.freeze(),
    ({ server }) => server.thaw(),
  ),
  lasting(
    "database-restarted",
    [0, 1],
    ({ server }) => server.restart(),
    () => {},
  ),
  lasting(
    "database-killed",
    [0, 6000],
    ({ server }) => server.kill(),
    ({ server }) => server.restart(),
  ),
  lasting(
    "database-read-only",
    [1000, 10_000],
    ({ server }) => administer(server.url, "SET GLOBAL read_only = 1"),
    ({ server }) => administer(server.url, "SET GLOBAL read_only = 0"),
  ),
  {
    ...lasting(
      "database-disk-full",
      [3000, 12_000],
      ({ disk }) => disk!.fill(),
      ({ disk }) => disk!.clear(),
    ),
    needsDisk: true,
  },
  lasting(
    "database-connections-used-up",
    [1000, 10_000],
    // Those that are open stay: they are cut, and all but ten do not come back.
    async (cluster) => {
      await administer(cluster.server.url, "SET GLOBAL max_connections = 10");
      for (const { database } of cluster.links) database.cut();
    },
    ({ server }) => administer(server.url, "SET GLOBAL max_connections = 300"),
  ),
  lasting(
    "clock-off",
    [3000, 15_000],
    (cluster, node) => cluster.setClock(node, node % 2 === 0 ? 30_000 : -30_000),
    (cluster, node) => cluster.setClock(node, 0),
  ),
];

/** As an operator; a server that has no connection to spare is asked again. */
async function administer(url: string, statement: string): Promise<void> {
  for (let left = ADMINISTER_TRIES; ; left -= 1) {
    try {
      const connection = await createConnection(url);
      await connection.query(statement);
      connection.destroy();
      return;
    } catch (error) {
      if (left === 0) throw error;
      await sleep(ADMINISTER_AGAIN_MS);
    }
  }
}
