import type { IRoomCache } from "@colyseus/core";
import type { Room } from "@colyseus/sdk";
import { Redis } from "ioredis";
import { freePort } from "../../scripts/processes/freePort.ts";
import type { Database } from "../../src/entities/sql.ts";
import { openDatabase } from "../support/database.ts";
import { migratedDatabaseUrl } from "../support/migratedDatabase.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { clientOf, type Player, RingmasterNode, tokenOf } from "../support/RingmasterNode.ts";
import { type RedisServer, startRedis } from "../support/servers.ts";

/** A place in the cluster: an address at which one node after the other runs. */
export class Place {
  readonly port: number;
  readonly #env: NodeJS.ProcessEnv;
  readonly #script: string | undefined;
  #node: RingmasterNode | undefined;
  /** Lines of the nodes that ran here before. */
  readonly #output: string[] = [];

  /** `script`: what runs here, Ringmaster itself unless told. */
  static async at(env: NodeJS.ProcessEnv, script?: string): Promise<Place> {
    return new Place(await freePort(), env, script);
  }

  private constructor(port: number, env: NodeJS.ProcessEnv, script: string | undefined) {
    this.port = port;
    this.#script = script;
    this.#env = { ...env, PORT: String(port), PUBLIC_ADDRESS: this.address };
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get url(): string {
    return `http://${this.address}`;
  }

  get node(): RingmasterNode {
    if (!this.#node) throw new Error(`no node runs at ${this.url}`);
    return this.#node;
  }

  get isUp(): boolean {
    return this.#node !== undefined && this.#node.program.exit === undefined;
  }

  /** Everything that was written here. */
  get output(): string[] {
    return [...this.#output, ...(this.#node?.output ?? [])];
  }

  async start(): Promise<void> {
    this.#output.push(...(this.#node?.output ?? []));
    this.#node = await RingmasterNode.start(this.#env, this.#script);
  }
}

/** What a cluster is made of. */
export interface ClusterParts {
  redis: RedisServer;
  database: Database;
  places: readonly Place[];
  /** An operator's token. */
  operator: string;
}

/** Whole nodes on a private Redis and a database of their own. */
export class NodeCluster {
  readonly redis: RedisServer;
  readonly database: Database;
  readonly places: readonly Place[];
  /** An operator's token. */
  readonly operator: string;
  readonly #client: Redis;

  /** `envOf` adds to the environment of the node at one place. */
  static async open<C extends NodeCluster>(
    this: new (
      parts: ClusterParts,
    ) => C,
    count: number,
    env: NodeJS.ProcessEnv = {},
    envOf: (at: number, databaseUrl: string) => Promise<NodeJS.ProcessEnv> = async () => ({}),
  ): Promise<C> {
    const [redis, databaseUrl] = await Promise.all([startRedis(), migratedDatabaseUrl()]);
    const database = await openDatabase({ kind: "mysql", url: databaseUrl, pool: 32 });
    const shared = {
      REDIS_URL: redis.url,
      DATABASE_URL: databaseUrl,
      RATE_LIMIT_PER_ADDRESS: "1000000",
      ...env,
    };
    const places = await Promise.all(
      Array.from({ length: count }, async (_, at) => Place.at({ ...shared, ...(await envOf(at, databaseUrl)) })),
    );
    const cluster = new this({ redis, database, places, operator: await tokenOf("operator") });
    await Promise.all(places.map((place) => place.start()));
    await cluster.meet();
    return cluster;
  }

  constructor({ redis, database, places, operator }: ClusterParts) {
    this.redis = redis;
    this.database = database;
    this.places = places;
    this.operator = operator;
    this.#client = new Redis(redis.url);
    this.#client.on("error", () => {});
  }

  /** Waits until each node knows all that run. */
  async meet(): Promise<void> {
    const { up } = this;
    for (const { node } of up) {
      await until(async () => (await this.#nodesAsSeenBy(node)).length === up.length, {
        timeoutMs: DEADLINE_MS,
        what: `the node at ${node.url} knows all ${up.length}`,
      });
    }
  }

  /** Where a node runs, in the order of the places. */
  get up(): Place[] {
    return this.places.filter(({ isUp }) => isUp);
  }

  /** Some node that runs. */
  get node(): RingmasterNode {
    const [place] = this.up;
    if (!place) throw new Error("no node runs");
    return place.node;
  }

  signIn(count: number): Promise<Player[]> {
    return Promise.all(Array.from({ length: count }, () => this.node.signIn()));
  }

  /** Waits until a node that runs owns this actor, and tells where. Nothing else but the actor's row knows. */
  ownerOf(kind: string, id: string): Promise<Place> {
    return until(
      async () => {
        const [row] = await this.database.query<{ owner: string | null }>(
          "SELECT owner FROM actors WHERE kind = ? AND id = ?",
          [kind, id],
        );
        const owner = (await this.#nodesAsSeenBy(this.node)).find((node) => node.id === row?.owner);
        return this.up.find(({ address }) => address === owner?.publicAddress);
      },
      { timeoutMs: DEADLINE_MS, what: `somebody owns ${kind}/${id}` },
    );
  }

  /**
   * Runs `work` while a transaction with this statement is open: who needs a row that it has locked, or a key that it is about to
   * store, waits. It is undone afterwards.
   */
  async whileOpen<T>(statement: string, params: readonly unknown[], work: () => Promise<T>): Promise<T> {
    const tx = await this.database.begin();
    try {
      // Sessions are set to lose a transaction in which nothing happens for a while.
      await tx.query("SET SESSION idle_transaction_timeout = 0");
      await tx.query(statement, params);
      return await work();
    } finally {
      await tx.rollback();
    }
  }

  /** Waits until a statement in which this is said waits for a lock. */
  async untilWaiting(words: string): Promise<void> {
    await until(
      async () => {
        // Nothing else that the tests do takes so long. (INNODB_TRX, which knows who waits, is not renewed for who asks often.)
        const sql =
          "SELECT 1 FROM information_schema.PROCESSLIST WHERE INFO LIKE ? AND TIME_MS > 50 AND ID <> CONNECTION_ID()";
        return (await this.database.query(sql, [`%${words}%`])).length > 0;
      },
      { timeoutMs: DEADLINE_MS, what: `a statement with "${words}" waits for a lock` },
    );
  }

  /** An operator's request, which must succeed; answers its body. */
  async command<Body>(path: string, body: object = {}): Promise<Body> {
    const answer = await this.node.post<Body>(path, { token: this.operator, body });
    if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** Has every node that runs open a room of this name for the same event (`options`); answers the rooms' ids in their order. */
  async spread(name: string, options: Record<string, string> = {}): Promise<[Place, string][]> {
    const ids = new Map<string, string>();
    while (ids.size < this.up.length) {
      const before = ids.size;
      const room = await this.node.client(this.operator).create(name, options);
      deafen(room);
      const listed = (await this.listings()).find(({ roomId }) => roomId === room.roomId);
      ids.set(listed!.publicAddress!, room.roomId);
      // A room goes to the node with the fewest, and an event has at most one open room a node. Where that node has one
      // already, an operator's console is its next room, and another node the one with the fewest.
      if (ids.size === before) deafen(await this.node.client(this.operator).create("admin"));
    }
    return this.up.map((place) => [place, ids.get(place.address)!]);
  }

  /**
   * Brings each of these players into a room on another node that runs: the first one to the first, and so on. `listen` has each
   * room at once, before a message can be missed.
   */
  async seatIn<V>(
    name: string,
    options: Record<string, string>,
    players: readonly Player[],
    listen: (room: Room) => V,
  ): Promise<V[]> {
    const rooms = await this.spread(name, options);
    return await Promise.all(
      players.map(async ({ token }, at) => {
        const [place, roomId] = rooms[at % rooms.length]!;
        return listen(await clientOf(place.url, token).joinById(roomId, options));
      }),
    );
  }

  /** The rooms that matchmaking lists. */
  async listings(): Promise<IRoomCache[]> {
    return Object.values(await this.#client.hgetall("roomcaches")).map((text) => JSON.parse(text) as IRoomCache);
  }

  async close(): Promise<void> {
    await Promise.all(this.places.filter(({ isUp }) => isUp).map(({ node }) => node.kill()));
    await this.database.close();
    this.#client.disconnect();
    await this.redis.stop();
  }

  async #nodesAsSeenBy(node: RingmasterNode): Promise<{ id: string; publicAddress?: string }[]> {
    const console = await node.client(this.operator).joinOrCreate("admin");
    deafen(console);
    try {
      const { nodes } = await console.request<object, { nodes: { id: string; publicAddress?: string }[] }>("query", {
        name: "nodes",
      });
      return nodes;
    } finally {
      await console.leave();
    }
  }
}

/** Nobody listens to this room, and the SDK need not say so. */
function deafen(room: Room): void {
  room.onMessage("*", () => {});
  room.reconnection.enabled = false;
}
