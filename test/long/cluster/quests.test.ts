import assert from "node:assert/strict";
import { freePort } from "../../../scripts/processes/freePort.ts";
import type { QuestMessage } from "../../../src/actors/quests/QuestService.ts";
import { systemRng } from "../../../src/clock.ts";
import { PrizeLedger } from "../../../src/entities/prizes/PrizeLedger.ts";
import { Quests } from "../../../src/entities/quests/Quest.ts";
import { sooner } from "../../cluster/support.ts";
import { latenessOf, PlayersNode } from "../../cluster/supportQuests.ts";
import { insertPlayers, someQuest } from "../../quests/someQuest.ts";
import { RingmasterNode, tokens } from "../../support/RingmasterNode.ts";
import { freshDatabaseUrl, type RedisServer, startRedis } from "../../support/servers.ts";
import { Visitor } from "../../support/Visitor.ts";

const PLAYERS = Array.from({ length: 10_000 }, (_, at) => `player-${at}`);
/** Quests of the storm: completions are due over so many seconds. */
const SECONDS = 10;
/** From the start until the first is due: all are scheduled by then. */
const FIRST_DUE_MS = 4000;

describe("quests on a cluster", function () {
  this.timeout(120_000);
  let redis: RedisServer;
  let nodes: RingmasterNode[];
  let players: PlayersNode;

  before(async () => {
    const [server, databaseUrl] = await Promise.all([startRedis(), freshDatabaseUrl()]);
    redis = server;
    players = await PlayersNode.join(redis.url, databaseUrl);
    const ports = await Promise.all([freePort(), freePort(), freePort()]);
    nodes = await Promise.all(
      ports.map((port) =>
        RingmasterNode.start({
          REDIS_URL: redis.url,
          DATABASE_URL: databaseUrl,
          PORT: String(port),
          PUBLIC_ADDRESS: `127.0.0.1:${port}`,
        }),
      ),
    );
    await insertPlayers(players.database, PLAYERS, { wallets: true });
  });

  after(async () => {
    await players?.close();
    await Promise.all((nodes ?? []).map((node) => node.kill()));
    await redis?.stop();
  });

  beforeEach(() => {
    players.heard.length = 0;
  });

  async function define(id: string, delayMs: number): Promise<void> {
    await new Quests(players.database).create({ ...someQuest({ id, delayMs }), createdAt: 1 }, "test");
  }

  const heardAll = (): Promise<unknown> => sooner("all are heard of", () => players.heard.length >= PLAYERS.length);

  /** Each player has completed one quest of this name's beginning, is paid for it and was told, all of it once. */
  async function assertWhole(prefix: string): Promise<void> {
    const rows = (table: string, where: string): Promise<Array<{ player_id: string }>> =>
      players.database.query(`SELECT player_id FROM ${table} WHERE ${where} ORDER BY player_id`);
    const everybody = PLAYERS.toSorted();
    const completed = await rows("quest_changes", `state = 'completed' AND quest_id LIKE '${prefix}%'`);
    assert.deepEqual(
      completed.map(({ player_id }) => player_id),
      everybody,
      "each is completed once",
    );
    const paid = await rows("awards", `source = 'quest' AND source_id LIKE '${prefix}%'`);
    assert.deepEqual(
      paid.map(({ player_id }) => player_id),
      everybody,
      "each is paid once",
    );
    assert.deepEqual(await rows("quest_progress", "1 = 1"), [], "none is under way");
    assert.deepEqual(players.heard.map(({ playerId }) => playerId).sort(), everybody, "each is told once");
    assert.deepEqual(await new PrizeLedger(players.database, systemRng).imbalances(), []);
  }

  it("are completed in batches when 10,000 are due in the same moment", async () => {
    await define("burst", 3_600_000);
    await define("spark", 2000);
    await players.startAll(PLAYERS, () => "burst");
    const dueAt = Date.now() + 2000;
    await players.database.write("UPDATE quest_progress SET due_at = ?", [dueAt]);
    // Each part's timer is armed for later: a further quest of a player of each has it armed for this moment.
    const sparks = PLAYERS.slice(0, 200);
    await players.startAll(sparks, () => "spark");
    await sooner("all are heard of", () => players.heard.length >= PLAYERS.length + sparks.length);
    const bursts = players.heard.filter(({ questId }) => questId === "burst");
    console.log(`      10,000 due at once: told after ${latenessOf(bursts)}`);
    players.heard.splice(0, players.heard.length, ...bursts);
    await assertWhole("burst");
  });

  it("are completed, paid and told once each in a storm of 10,000 in which a node is killed", async () => {
    const delays = Array.from({ length: SECONDS }, (_, at) => FIRST_DUE_MS + 1000 * at);
    for (const [at, delayMs] of delays.entries()) await define(`storm-${at}`, delayMs);
    const [ada] = PLAYERS;
    const token = await tokens.issue({ playerId: ada!, name: "Ada", role: "player" }, 600_000);
    const victim = await ownerOfMost();
    const elsewhere = nodes.find((node) => node !== victim)!;
    const visitor = await Visitor.join(elsewhere.client(token), "lobby");
    const startedAt = performance.now();
    await players.startAll(PLAYERS, (at) => `storm-${at % SECONDS}`);
    console.log(`      10,000 started in ${Math.round(performance.now() - startedAt)} ms`);
    await sooner("half are heard of", () => players.heard.length >= PLAYERS.length / 2);
    const killedAt = Date.now();
    await victim.kill();
    await heardAll();
    const before = players.heard.filter(({ heardAt }) => heardAt < killedAt);
    console.log(`      told after ${latenessOf(before)} before the kill, ${latenessOf(players.heard)} in all`);
    assert.ok(players.heard.every(({ state }) => state === "completed"));
    await assertWhole("storm");
    const told = await visitor.message<QuestMessage>("quest", ({ state }) => state === "completed");
    assert.deepEqual(told.id, "storm-0");
    assert.deepEqual(visitor.unread("quest"), []);
  });

  async function ownerOfMost(): Promise<RingmasterNode> {
    const parts = [...(await players.partsByAddress())].sort(([, a], [, b]) => b.length - a.length);
    const [address, owned] = parts[0]!;
    console.log(`      the node to be killed owns ${owned.length} parts of ${parts.flatMap(([, all]) => all).length}`);
    return nodes.find((node) => node.url.endsWith(address))!;
  }
});
