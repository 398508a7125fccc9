import { randomBytes } from "node:crypto";
import { createConnection } from "mysql2/promise";
import { type DatabaseServer, startMariaDb } from "../../scripts/servers/mariadb.ts";
import { type RedisServer, startRedis } from "../../scripts/servers/redis.ts";
import type { HuntDefinition } from "../../src/actors/hunts/definition.ts";
import { type ClusterParts, Place } from "../cluster/supportNodes.ts";
import { TournamentCluster } from "../cluster/supportTournaments.ts";
import { openDatabase } from "../support/database.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { tokenOf } from "../support/RingmasterNode.ts";
import { SmallDisk } from "../support/SmallDisk.ts";
import { CHAOS_TABLES } from "./chaosActors.ts";
import type { History } from "./History.ts";
import { Link } from "./Link.ts";
import type { NodeMessage, NodeOptions, NodeRequest } from "./nodeProtocol.ts";

export const NODES = 4;
export const TARGETS: readonly string[] = Array.from({ length: 12 }, (_, at) => `t${at}`);
const CALLERS = 3;
/** A target answers a probe within this, in milliseconds, where all is well. */
const PROBE_MS = 2000;
/** What a probe itself may take before it counts as failed, in milliseconds. */
const PROBE_PATIENCE_MS = 4000;
/** Where all is well nothing is due for longer than this, in milliseconds. */
const OVERDUE_MS = 2000;

/** Some times what an empty server and a long run take. */
const DISK_MB = 1024;

/** One node's ways to the servers. */
export interface Links {
  redis: Link;
  database: Link;
}

export interface ChaosParts extends ClusterParts {
  server: DatabaseServer;
  disk: SmallDisk | undefined;
  links: readonly Links[];
  history: History;
}

/** Four whole nodes on servers of their own, each with ways to them on which things go wrong. */
export class ChaosCluster extends TournamentCluster {
  readonly server: DatabaseServer;
  /** Where the database lies; undefined where this process may mount none. */
  readonly disk: SmallDisk | undefined;
  readonly links: readonly Links[];
  readonly #history: History;
  #probes = 0;

  static async start(history: History): Promise<ChaosCluster> {
    const disk = SmallDisk.isPossible() ? new SmallDisk("chaos", DISK_MB) : undefined;
    const [redis, server] = await Promise.all([
      startRedis(),
      startMariaDb(disk ? { folder: disk.folder } : { inMemory: true }),
    ]);
    const { url, ofNodes } = await databaseOf(server);
    const database = await openDatabase({ kind: "mysql", url, pool: 4 });
    for (const table of CHAOS_TABLES) await database.write(table);
    const links = await Promise.all(Array.from({ length: NODES }, () => linksTo(redis, server)));
    const places = await Promise.all(
      links.map((ways, at) => {
        const node: NodeOptions = { id: `n${at}`, targets: TARGETS, callers: CALLERS };
        const env = {
          REDIS_URL: `redis://127.0.0.1:${ways.redis.port}`,
          DATABASE_URL: ofNodes(ways.database.port),
          RATE_LIMIT_PER_ADDRESS: "1000000",
          CHAOS: JSON.stringify(node),
        };
        return Place.at(env, "test/chaos/node.ts");
      }),
    );
    const parts = { redis, database, server, disk, places, links, history, operator: await tokenOf("operator") };
    const cluster = new ChaosCluster(parts);
    await Promise.all(places.map((_, at) => cluster.startNode(at)));
    await cluster.meet();
    return cluster;
  }

  constructor({ server, disk, links, history, ...parts }: ChaosParts) {
    super(parts);
    this.server = server;
    this.disk = disk;
    this.links = links;
    this.#history = history;
  }

  /** Starts a node where none runs; its calls go into the history. */
  async startNode(at: number): Promise<void> {
    const place = this.places[at]!;
    if (place.isUp) return;
    await place.start();
    place.node.program.onLine((line) => {
      if (/"level":"(error|fatal)"/.test(line)) this.#history.note(`n${at} logged`, { line });
    });
    place.node.program.onMessage((message) => {
      if ("record" in (message as NodeMessage)) this.#history.called((message as { record: never }).record);
    });
  }

  async createHunt(definition: HuntDefinition): Promise<string> {
    return (await this.command<{ id: string }>("/api/hunts", definition)).id;
  }

  /** Sets a node's wall clock off. */
  async setClock(at: number, clockOffsetMs: number): Promise<void> {
    await this.#send(at, { clockOffsetMs });
  }

  /** Has no more calls begun, and waits until all have ended and what they have set off is done. */
  async endCalls(): Promise<void> {
    const ended = this.places.map(({ node }) =>
      node.program.message("the end of its calls", (message) => "callsEnded" in (message as NodeMessage) || undefined),
    );
    for (const at of this.places.keys()) await this.#send(at, { endCalls: true });
    await Promise.allSettled(ended);
    const isEmpty = async (): Promise<boolean> =>
      (await this.database.query("SELECT 1 FROM actor_outbox LIMIT 1")).length === 0;
    await until(isEmpty, { timeoutMs: DEADLINE_MS, what: "the outbox is empty" }).catch(() => {});
  }

  /** What is not well; nothing when every node is ready, every target answers on each of them, and nothing is overdue. */
  async troubles(): Promise<string[]> {
    const [ofNodes, overdue] = await Promise.all([
      Promise.all(this.places.map((_, at) => this.#troublesAt(at))),
      inTime(this.#overdue(), ["the database does not answer the test"]),
    ]);
    return [...ofNodes.flat(), ...overdue];
  }

  override async close(): Promise<void> {
    await super.close();
    for (const { redis, database } of this.links) {
      redis.close();
      database.close();
    }
    await this.server.stop();
    this.disk?.remove();
  }

  /** Whether every node says that it is ready. */
  async isReady(): Promise<boolean> {
    const answers = await Promise.all(
      this.places.map(({ url }) =>
        inTime(
          fetch(`${url}/readyz`).then(
            ({ ok }) => ok,
            () => false,
          ),
          false,
        ),
      ),
    );
    return answers.every(Boolean);
  }

  async #troublesAt(at: number): Promise<string[]> {
    const place = this.places[at]!;
    if (!place.isUp) return [`n${at} is down`];
    const ready = await inTime(
      fetch(`${place.url}/readyz`).then(({ status }) => (status === 200 ? [] : [`n${at} is not ready`])),
      [`n${at} does not answer`],
    );
    if (ready.length > 0) return ready;
    const probe = ++this.#probes;
    const answer = place.node.program.message(
      "an answer to a probe",
      (message) =>
        (message as { probed?: number }).probed === probe ? (message as { failed: string[] }).failed : undefined,
      PROBE_PATIENCE_MS,
    );
    answer.catch(() => {});
    await this.#send(at, { probe, deadlineMs: PROBE_MS });
    const failed = await inTime(answer, ["no answer"]);
    return failed.length === 0 ? [] : [`at n${at} ${failed.length} actors fail with ${[...new Set(failed)]}`];
  }

  async #overdue(): Promise<string[]> {
    const [row] = await this.database.query<{ n: number; first: string }>(
      "SELECT COUNT(*) AS n, MIN(CONCAT(kind, '/', id)) AS first FROM actors WHERE due_at < ?",
      [Date.now() - OVERDUE_MS],
    );
    return Number(row!.n) === 0 ? [] : [`${row!.n} actors are overdue, ${row!.first} among them`];
  }

  async #send(at: number, request: NodeRequest): Promise<void> {
    await this.places[at]!.node.program.send(request).catch(() => {});
  }
}

async function linksTo(redis: RedisServer, server: DatabaseServer): Promise<Links> {
  return { redis: await Link.to(redis.port), database: await Link.to(server.port) };
}

/** A database, and a user for the nodes who has no rights beyond it: a server that is read-only is so for them. */
async function databaseOf(server: DatabaseServer): Promise<{ url: string; ofNodes: (port: number) => string }> {
  const url = await server.createDatabase();
  const name = new URL(url).pathname.slice(1);
  const password = randomBytes(12).toString("hex");
  const connection = await createConnection(server.url);
  await connection.query(`CREATE USER 'node'@'%' IDENTIFIED BY '${password}'`);
  await connection.query(`GRANT ALL ON ${name}.* TO 'node'@'%'`);
  await connection.end();
  return { url, ofNodes: (port) => `mysql://node:${password}@127.0.0.1:${port}/${name}` };
}

/** What comes of `work`, or `instead` where it fails or takes too long. */
function inTime<T>(work: Promise<T>, instead: T): Promise<T> {
  const late = new Promise<T>((resolve) => setTimeout(resolve, PROBE_PATIENCE_MS, instead).unref());
  return Promise.race([work.catch(() => instead), late]);
}
