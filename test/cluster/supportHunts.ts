import type { IRoomCache } from "@colyseus/core";
import type { Room } from "@colyseus/sdk";
import { Redis } from "ioredis";
import { freePort } from "../../scripts/processes/freePort.ts";
import type { HuntDefinition } from "../../src/actors/hunts/definition.ts";
import { openDatabase } from "../../src/entities/database.ts";
import type { Database } from "../../src/entities/sql.ts";
import { until } from "../support/processes.ts";
import { clientOf, type Player, RingmasterNode, tokenOf } from "../support/RingmasterNode.ts";
import { freshDatabaseUrl, type RedisServer, startRedis } from "../support/servers.ts";
import { Hunter } from "../support/Visitor.ts";

/** Long enough for anything that has to happen at all, on a machine with other work. */
const PATIENCE_MS = 30_000;

/** A place in the cluster: an address at which one node after the other runs. */
export class Place {
  readonly port: number;
  readonly #env: NodeJS.ProcessEnv;
  #node: RingmasterNode | undefined;
  /** Lines of the nodes that ran here before. */
  readonly #output: string[] = [];

  static async at(env: NodeJS.ProcessEnv): Promise<Place> {
    return new Place(await freePort(), env);
  }

  private constructor(port: number, env: NodeJS.ProcessEnv) {
    this.port = port;
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
    this.#node = await RingmasterNode.start(this.#env);
  }
}

/** Whole nodes on a private Redis and a database of their own. */
export class HuntCluster {
  readonly redis: RedisServer;
  readonly database: Database;
  readonly places: readonly Place[];
  readonly #operator: string;
  readonly #client: Redis;

  static async open(count: number, env: NodeJS.ProcessEnv = {}): Promise<HuntCluster> {
    const [redis, databaseUrl] = await Promise.all([startRedis(), freshDatabaseUrl()]);
    const database = await openDatabase({ kind: "mysql", url: databaseUrl, pool: 4 });
    const shared = {
      REDIS_URL: redis.url,
      DATABASE_URL: databaseUrl,
      RATE_LIMIT_PER_ADDRESS: "1000000",
      ...env,
    };
    const places = await Promise.all(Array.from({ length: count }, () => Place.at(shared)));
    const cluster = new HuntCluster(redis, database, places, await tokenOf("operator"));
    await Promise.all(places.map((place) => place.start()));
    await cluster.meet();
    return cluster;
  }

  private constructor(redis: RedisServer, database: Database, places: readonly Place[], operator: string) {
    this.redis = redis;
    this.database = database;
    this.places = places;
    this.#operator = operator;
    this.#client = new Redis(redis.url);
    this.#client.on("error", () => {});
  }

  /** Waits until each node knows all that run. */
  async meet(): Promise<void> {
    const { up } = this;
    for (const { node } of up) {
      const console = await node.client(this.#operator).joinOrCreate("admin");
      console.onMessage("*", () => {});
      await until(
        async () =>
          (await console.request<object, { nodes: object[] }>("query", { name: "nodes" })).nodes.length === up.length,
        { timeoutMs: PATIENCE_MS, what: `the node at ${node.url} knows all ${up.length}` },
      );
      await console.leave();
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

  async create(definition: HuntDefinition): Promise<string> {
    const { status, body } = await this.node.post<{ id: string }>("/api/hunts", {
      token: this.#operator,
      body: definition,
    });
    if (status !== 201) throw new Error(`creating a hunt: ${status} ${JSON.stringify(body)}`);
    return body.id;
  }

  async act(huntId: string, action: string, args: object = {}): Promise<void> {
    const { status, body } = await this.node.post(`/api/hunts/${huntId}/${action}`, {
      token: this.#operator,
      body: args,
    });
    if (status !== 200) throw new Error(`${action}: ${status} ${JSON.stringify(body)}`);
  }

  /** Brings each of these players into a room on another node that runs: the first one to the first, and so on. */
  async seat(huntId: string, players: readonly Player[]): Promise<Hunter[]> {
    const rooms = await this.#spread(huntId);
    return await Promise.all(
      players.map(async ({ token }, at) => {
        const [place, roomId] = rooms[at % rooms.length]!;
        return new Hunter(await clientOf(place.url, token).joinById(roomId, { huntId }));
      }),
    );
  }

  /** Has every node that runs open a room for the hunt. */
  async #spread(huntId: string): Promise<[Place, string][]> {
    const ids = new Map<string, string>();
    while (ids.size < this.up.length) {
      const before = ids.size;
      const room = await this.node.client(this.#operator).create("hunt", { huntId });
      deafen(room);
      const listed = (await this.roomsOf(huntId)).find(({ roomId }) => roomId === room.roomId);
      ids.set(listed!.publicAddress!, room.roomId);
      // A room goes to the node with the fewest, and a hunt has at most one open room a node. Where that node has one
      // already, an operator's console is its next room, and another node the one with the fewest.
      if (ids.size === before) deafen(await this.node.client(this.#operator).create("admin"));
    }
    return this.up.map((place) => [place, ids.get(place.address)!]);
  }

  /** The rooms of a hunt as matchmaking lists them. */
  async roomsOf(huntId: string): Promise<IRoomCache[]> {
    const listings = Object.values(await this.#client.hgetall("roomcaches")).map(
      (text) => JSON.parse(text) as IRoomCache,
    );
    return listings.filter(({ metadata }) => metadata?.huntId === huntId);
  }

  async close(): Promise<void> {
    await Promise.all(this.places.filter(({ isUp }) => isUp).map(({ node }) => node.kill()));
    await this.database.close();
    this.#client.disconnect();
    await this.redis.stop();
  }
}

/** Nobody listens to this room, and the SDK need not say so. */
function deafen(room: Room): void {
  room.onMessage("*", () => {});
  room.reconnection.enabled = false;
}
