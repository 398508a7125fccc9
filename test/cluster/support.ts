import type { Redis } from "ioredis";
import type { Database } from "../../src/entities/sql.ts";
import { RingmasterError } from "../../src/errors.ts";
import { RedisFeed } from "../../src/stores/feeds/RedisFeed.ts";
import { connectRedis, whenReady } from "../../src/stores/runtime/redis.ts";
import { openDatabase } from "../support/database.ts";
import { migratedDatabaseUrl } from "../support/migratedDatabase.ts";
import { DEADLINE_MS, type Exit, type Program, startProcess, until } from "../support/processes.ts";
import { type RedisServer, startRedis } from "../support/servers.ts";
import type { Ticking } from "./workerActors.ts";
import type {
  LoadOptions,
  LoadRecord,
  WorkerCall,
  WorkerMessage,
  WorkerOptions,
  WorkerReplies,
  WorkerRequest,
} from "./workerProtocol.ts";

/** No unique key: an effect that happened twice is there twice. */
const EFFECTS_TABLE = `CREATE TABLE effects (
  actor VARCHAR(64) NOT NULL, name VARCHAR(64) NOT NULL, seq BIGINT NOT NULL, node VARCHAR(32) NOT NULL, at BIGINT NOT NULL
) ENGINE=InnoDB`;

/** The actor runtime in a process of its own. */
export class ClusterNode {
  readonly id: string;
  readonly program: Program;
  #nextRequest = 1;

  /** Starts the process; it is no part of the cluster until it joins. */
  static async start(options: WorkerOptions): Promise<ClusterNode> {
    const program = await startProcess("test/cluster/worker.ts", {
      name: `node ${options.id}`,
      env: { WORKER: JSON.stringify(options) },
    });
    const node = new ClusterNode(options.id, program);
    await node.#event("ready");
    return node;
  }

  private constructor(id: string, program: Program) {
    this.id = id;
    this.program = program;
  }

  async ask<R extends WorkerRequest>(request: R): Promise<WorkerReplies[R["op"]]> {
    const id = this.#nextRequest++;
    const reply = this.program.message(`an answer to ${request.op}`, (message) => {
      const { reply: to, value } = message as { reply?: number; value?: unknown };
      return to === id ? { value } : undefined;
    });
    // A process that ends takes the answer along, and its sender may have stopped to wait for that.
    reply.catch(() => {});
    await this.program.send({ id, request });
    return (await reply).value as WorkerReplies[R["op"]];
  }

  /** Calls one method from this node; rejects as the runtime does. */
  async call<T>(call: WorkerCall): Promise<T> {
    const [answer] = await this.ask({ op: "calls", calls: [call] });
    if (answer && "value" in answer) return answer.value as T;
    throw new RingmasterError(answer!.code as "internal", answer!.message);
  }

  /** Has counters tick from now on. */
  async startTicking(actors: readonly string[], ticking: Ticking): Promise<void> {
    const calls = actors.map((actor) => ({ kind: "counter", actor, method: "startTicking", args: [ticking] }));
    for (const answer of await this.ask({ op: "calls", calls })) {
      if ("code" in answer) throw new Error(`startTicking: ${answer.code} ${answer.message}`);
    }
  }

  /** Resolves when the process is about to stop itself in the middle of its turns. */
  async stallInTurns(turns: number): Promise<void> {
    const stalling = this.#event("stalling");
    await this.ask({ op: "stall", turns });
    await stalling;
  }

  /** Begins to call counters from this node, all the time. */
  async beginLoad(load: LoadOptions): Promise<void> {
    await this.ask({ op: "load", load });
  }

  /** Waits until this many more calls of the load are answered. */
  async untilAnswered(more: number): Promise<void> {
    const before = await this.ask({ op: "answered" });
    await sooner(
      `${this.id} has ${more} more answers`,
      async () => (await this.ask({ op: "answered" })) >= before + more,
    );
  }

  /** Ends the load, and tells what became of each call. */
  endLoad(): Promise<LoadRecord[]> {
    return this.ask({ op: "endLoad" });
  }

  kill(): Promise<Exit> {
    return this.program.kill();
  }

  #event(event: "ready" | "stalling"): Promise<true> {
    return this.program.message(`the event ${event}`, (message) =>
      (message as WorkerMessage & { event?: string }).event === event ? true : undefined,
    );
  }
}

/** Nodes on a private Redis and a database of their own, and the history of what took effect. */
export class Cluster {
  readonly redis: RedisServer;
  readonly databaseUrl: string;
  readonly database: Database;
  /** As the nodes have it that are told to use Redis for theirs. */
  readonly feed: RedisFeed;
  readonly #client: Redis;
  readonly #ttlMs: number;
  readonly #nodes: ClusterNode[] = [];

  static async open({ ttlMs = 3000, databaseUrl }: { ttlMs?: number; databaseUrl?: string } = {}): Promise<Cluster> {
    const [redis, url] = await Promise.all([startRedis(), databaseUrl ?? migratedDatabaseUrl()]);
    const database = await openDatabase({ kind: "mysql", url, pool: 32 });
    await database.write(EFFECTS_TABLE);
    const client = connectRedis(redis.url, "test");
    await whenReady(client);
    return new Cluster(redis, client, url, database, ttlMs);
  }

  private constructor(redis: RedisServer, client: Redis, databaseUrl: string, database: Database, ttlMs: number) {
    this.redis = redis;
    this.#client = client;
    this.feed = new RedisFeed(client, redis.url);
    this.databaseUrl = databaseUrl;
    this.database = database;
    this.#ttlMs = ttlMs;
  }

  /** Starts the processes of nodes, which join when they are told. */
  async boot(ids: readonly string[], options: Partial<WorkerOptions> = {}): Promise<ClusterNode[]> {
    const nodes = await Promise.all(
      ids.map((id) =>
        ClusterNode.start({
          id,
          redisUrl: this.redis.url,
          databaseUrl: this.databaseUrl,
          ttlMs: this.#ttlMs,
          ...options,
        }),
      ),
    );
    this.#nodes.push(...nodes);
    return nodes;
  }

  /** Has nodes join, and waits until all of them know each other. */
  async join(...nodes: ClusterNode[]): Promise<void> {
    await Promise.all(nodes.map((node) => node.ask({ op: "join" })));
    await this.meet(...nodes);
  }

  /** Waits until each of these nodes knows that the others live. */
  async meet(...nodes: ClusterNode[]): Promise<void> {
    for (const node of nodes) {
      await until(
        async () => {
          const known = await node.ask({ op: "nodes" });
          return nodes.every(({ id }) => known.includes(id));
        },
        { timeoutMs: DEADLINE_MS, what: `${node.id} knows all of ${nodes.map(({ id }) => id)}` },
      );
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.kill()));
    await this.feed.close();
    this.#client.disconnect();
    await this.database.close();
    await this.redis.stop();
  }
}

/** Waits for something that must happen sooner or later; when is not the test's question. */
export function sooner<T>(what: string, condition: () => T | Promise<T>): Promise<NonNullable<T>> {
  return until(condition, { timeoutMs: DEADLINE_MS, what });
}
