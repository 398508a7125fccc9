import assert from "node:assert/strict";
import { createConnection } from "mysql2/promise";
import { seededRng } from "../../src/clock.ts";
import { HuntBot } from "../cluster/supportHuntBot.ts";
import { assertKept, HuntHistory } from "../cluster/supportHuntHistory.ts";
import { HuntCluster } from "../cluster/supportHunts.ts";
import { Place } from "../cluster/supportNodes.ts";
import { SilentProxy } from "../cluster/supportProxy.ts";
import { someHunt } from "../hunts/someHunt.ts";
import { openDatabase } from "../support/database.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { tokenOf } from "../support/RingmasterNode.ts";
import { SmallDisk } from "../support/SmallDisk.ts";
import { type DatabaseServer, startMariaDb, startRedis } from "../support/servers.ts";
import { muteSdk } from "../support/Visitor.ts";

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const PLAYERS = 40;
/** Right answers that tell that all goes on. */
const PROGRESS = 40;
/** Twice what an empty server takes. */
const DISK_MB = 400;

const TEMPLATES = Array.from({ length: 6 }, (_, at) => ({
  type: "sum",
  prompt: `What is ${at} and ${at}?`,
  answers: [`it is ${2 * at}`],
  points: 1 + at,
  repeatable: true,
}));

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

describe("a hunt on two nodes whose MariaDB falls silent, refuses, and fills its disk", function () {
  this.timeout(15 * 60_000);
  muteSdk();
  let disk: SmallDisk;
  const proxies: SilentProxy[] = [];
  const history = new HuntHistory();
  let server: DatabaseServer;
  let cluster: HuntCluster;
  let bots: HuntBot[] = [];
  let huntId: string;
  let game: Promise<unknown>;
  let isOver = false;

  /** A user that `read_only` and `max_connections` hold for. */
  async function limitedUser(database: string): Promise<void> {
    await asRoot(
      "CREATE USER 'app'@'%' IDENTIFIED BY 'app'",
      `GRANT ALL ON ${database}.* TO 'app'@'%'`,
      "GRANT PROCESS ON *.* TO 'app'@'%'",
    );
  }

  async function asRoot(...statements: string[]): Promise<void> {
    const connection = await createConnection(server.url);
    for (const statement of statements) await connection.query(statement);
    await connection.end();
  }

  before(async () => {
    console.log(`      seed ${SEED} (SEED=${SEED} replays what players do)`);
    disk = new SmallDisk("database", DISK_MB);
    server = await startMariaDb({ folder: disk.folder });
    const databaseUrl = await server.createDatabase();
    await limitedUser(new URL(databaseUrl).pathname.slice(1));
    const redis = await startRedis();
    const places = await Promise.all(
      Array.from({ length: 2 }, async () => {
        const proxy = await SilentProxy.to(server.port);
        proxies.push(proxy);
        const url = new URL(databaseUrl);
        Object.assign(url, { username: "app", password: "app", port: String(proxy.port) });
        return Place.at({ REDIS_URL: redis.url, DATABASE_URL: url.href, RATE_LIMIT_PER_ADDRESS: "1000000" });
      }),
    );
    const database = await openDatabase({ kind: "mysql", url: databaseUrl, pool: 16 });
    cluster = new HuntCluster({ redis, database, places, operator: await tokenOf("operator") });
    for (const place of places) await place.start();
    await cluster.meet();
    huntId = await cluster.create(
      someHunt({ clueTtlMs: 8000, attempts: 2, winners: 5, clues: TEMPLATES, revealMs: 600_000 }),
    );
    const players = await cluster.signIn(PLAYERS);
    const urls = cluster.places.map(({ url }) => url);
    const answers = TEMPLATES.map(({ answers: [answer] }) => answer!);
    bots = players.map(
      (player, at) => new HuntBot({ player, huntId, urls, answers, history, rng: seededRng(SEED + at) }),
    );
    const seated = await cluster.seat(huntId, players);
    for (const [at, bot] of bots.entries()) bot.sit(seated[at]!);
    game = Promise.all(bots.map((bot) => bot.play()));
    game.catch((error: unknown) => history.fault(String(error)));
    await history.progress(PROGRESS);
  });

  after(async () => {
    for (const bot of bots) bot.leave();
    await cluster.close();
    for (const proxy of proxies) proxy.close();
    await server.stop();
    disk.remove();
  });

  afterEach(async () => {
    if (isOver) return;
    // Whatever has happened, all of it goes on by itself, and nobody was told that it is our own fault.
    await untilReadyz(200);
    await history.progress(PROGRESS);
    assert.deepEqual(history.faults, []);
  });

  async function untilReadyz(wanted: number): Promise<string[]> {
    const reasons: string[] = [];
    for (const { node } of cluster.places)
      reasons.push(
        await until(
          async () => {
            const { status, body } = await node.get<{ parts: Record<string, string> }>("/readyz");
            return (status === wanted && body.parts.database) || undefined;
          },
          { timeoutMs: DEADLINE_MS, what: `/readyz is ${wanted}` },
        ),
      );
    return reasons;
  }

  it("goes on when the open connections are dead and new ones work", async () => {
    for (const proxy of proxies) proxy.silenceAll();
  });

  it("goes on after commits whose answers never come, twice on each node", async () => {
    for (const proxy of proxies) proxy.swallowAnswerTo("COMMIT", 2);
    await until(() => proxies.every(({ unswallowed }) => unswallowed === 0), {
      timeoutMs: 4 * DEADLINE_MS,
      what: "each node has had no answer to two commits",
    });
  });

  it("says why it is not ready while the server stands still for 35 s", async () => {
    await server.freeze();
    assert.deepEqual(await untilReadyz(503), ["MySQL is out of reach", "MySQL is out of reach"]);
    await pause(35_000);
    await server.thaw();
  });

  it("says why it is not ready while the server is read-only for 10 s", async () => {
    await asRoot("SET GLOBAL read_only = 1");
    assert.deepEqual(await untilReadyz(503), ["MySQL takes no writes", "MySQL takes no writes"]);
    await pause(10_000);
    await asRoot("SET GLOBAL read_only = 0");
  });

  it("goes on when the server takes no more connections, also when it has lost its own", async () => {
    await asRoot("SET GLOBAL max_connections = 10");
    for (const proxy of proxies) proxy.silenceAll();
    await pause(10_000);
    await asRoot("SET GLOBAL max_connections = 300");
  });

  it("says why it is not ready while the disk is full", async () => {
    await disk.fill();
    // The game goes on where rows find room, until a table wants more.
    assert.deepEqual(await untilReadyz(503), ["MySQL takes no writes", "MySQL takes no writes"]);
    await pause(10_000);
    disk.clear();
  });

  it("has kept all that it acknowledged, given nothing twice, and stops in time", async () => {
    isOver = true;
    await cluster.act(huntId, "end");
    await game;
    await assertKept(
      cluster.database,
      huntId,
      history,
      bots.map(({ account }) => account),
    );
    for (const proxy of proxies) proxy.swallowAnswerTo("COMMIT", 2);
    for (const { node } of cluster.places) {
      node.program.signal("SIGTERM");
      assert.equal((await node.program.exited).code, 0);
    }
  });
});
