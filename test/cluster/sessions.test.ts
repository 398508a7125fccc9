import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { freePort } from "../../scripts/processes/freePort.ts";
import { SessionHistory } from "../../src/entities/sessions/SessionHistory.ts";
import type { Database } from "../../src/entities/sql.ts";
import { sessionsJob } from "../../src/schedulers/sessions/sessionsJob.ts";
import { RedisSessionStore } from "../../src/stores/sessions/RedisSessionStore.ts";
import { LEAVING_MS } from "../../src/stores/sessions/SessionStore.ts";
import { openDatabase } from "../support/database.ts";
import { itMeanwhile } from "../support/meanwhile.ts";
import { migratedDatabaseUrl } from "../support/migratedDatabase.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { type Player, RingmasterNode } from "../support/RingmasterNode.ts";
import { runJob } from "../support/runJob.ts";
import { freshRedisUrl } from "../support/servers.ts";
import { Visitor } from "../support/Visitor.ts";

const TIMEOUT_MS = 30 * 60_000;
const TTL_MS = 1500;

interface Listing {
  roomId: string;
  publicAddress: string;
}

describe("sessions on a cluster, one node of which is killed", function () {
  this.timeout(120_000);
  const nodes: RingmasterNode[] = [];
  const visitors: Visitor[] = [];
  let redis: Redis;
  let database: Database;
  let store: RedisSessionStore;

  async function open(): Promise<void> {
    const [redisUrl, databaseUrl] = await Promise.all([freshRedisUrl(), migratedDatabaseUrl()]);
    database = await openDatabase({ kind: "mysql", url: databaseUrl, pool: 32 });
    redis = new Redis(redisUrl);
    store = new RedisSessionStore(redis, { timeoutMs: TIMEOUT_MS });
    const started = await Promise.all(
      ["one", "two"].map(async () => {
        const port = await freePort();
        return RingmasterNode.start({
          ...{ REDIS_URL: redisUrl, DATABASE_URL: databaseUrl, NODE_TTL_MS: String(TTL_MS) },
          ...{ PORT: String(port), PUBLIC_ADDRESS: `127.0.0.1:${port}` },
        });
      }),
    );
    nodes.push(...started);
  }

  async function close(): Promise<void> {
    for (const { room } of visitors) if (room.connection.isOpen) void room.leave();
    await Promise.all(nodes.map((node) => node.kill()));
    redis?.disconnect();
    await database?.close();
  }

  /** A lobby on each of the two nodes, in their order. */
  async function lobbies(): Promise<[string, string]> {
    const host = await nodes[0]!.signIn();
    return until(
      async () => {
        // A room that nobody needs is created where there are fewest.
        visitors.push(new Visitor(await nodes[0]!.client(host.token).create("lobby")));
        const listings = Object.values(await redis.hgetall("roomcaches")).map((text) => JSON.parse(text) as Listing);
        const ids = nodes.map(
          ({ port }) => listings.find(({ publicAddress }) => publicAddress === `127.0.0.1:${port}`)?.roomId,
        );
        return ids[0] !== undefined && ids[1] !== undefined ? (ids as [string, string]) : undefined;
      },
      { timeoutMs: DEADLINE_MS, what: "each node has a lobby" },
    );
  }

  async function visit(player: Player, roomId: string): Promise<Visitor> {
    const visitor = new Visitor(await nodes[1]!.client(player.token).joinById(roomId));
    visitors.push(visitor);
    return visitor;
  }

  async function seatsOf({ id }: Player): Promise<number> {
    const session = await redis.hget("{sessions}:live", id);
    return session === null ? 0 : (JSON.parse(session) as unknown[]).length - 4;
  }

  /** Sweeps as if it were so much later; several at once, as a stalled node and its successor may. */
  const sweep = (laterMs: number) => {
    const ports = { store, history: new SessionHistory(database), clock: { now: () => Date.now() + laterMs } };
    return Promise.all([1, 2].map(() => runJob(sessionsJob(ports))));
  };

  const rows = (...players: Player[]) =>
    database.query<{ player_id: string; end_reason: string }>(
      `SELECT player_id, end_reason FROM player_sessions WHERE player_id IN (${players.map(() => "?").join(", ")})`,
      players.map(({ id }) => id),
    );

  itMeanwhile("has one session a player, and writes those of the dead node down once", async () => {
    try {
      await open();
      await playOn();
    } finally {
      await close();
    }
  });

  async function playOn(): Promise<void> {
    const [ada, bob, cy] = await Promise.all([nodes[1]!.signIn(), nodes[1]!.signIn(), nodes[1]!.signIn()]);
    const [doomed, safe] = await lobbies();
    await visit(ada, doomed);
    await visit(bob, doomed);
    const bobsOther = await visit(bob, safe);
    const cys = await visit(cy, safe);
    await until(async () => (await seatsOf(ada)) === 1 && (await seatsOf(bob)) === 2 && (await seatsOf(cy)) === 1, {
      timeoutMs: DEADLINE_MS,
      what: "the store knows every seat",
    });
    const { body } = await nodes[1]!.get<{ current: { startedAt: number } | null }>("/api/me/sessions", {
      token: bob.token,
    });
    assert.equal(body.current?.startedAt, (await store.current(bob.id, Date.now()))?.startedAt);

    await cys.room.leave();
    await nodes[0]!.kill();
    await until(async () => (await redis.hget("roomcaches", doomed)) === null, {
      timeoutMs: DEADLINE_MS,
      what: "the survivor knows that the other node is gone",
    });
    await bobsOther.room.leave();
    await until(async () => (await seatsOf(bob)) === 0, { timeoutMs: DEADLINE_MS, what: "bob's leaving is reported" });

    await sweep(LEAVING_MS * 2);
    assert.deepEqual(
      (await rows(ada, bob, cy)).map(({ player_id, end_reason }) => [player_id, end_reason]).sort(),
      [
        [bob.id, "left"],
        [cy.id, "left"],
      ].sort(),
    );
    await sweep(2 * TIMEOUT_MS);
    await sweep(2 * TIMEOUT_MS);
    assert.deepEqual(
      (await rows(ada, bob, cy)).map(({ player_id, end_reason }) => [player_id, end_reason]).sort(),
      [
        [ada.id, "timeout"],
        [bob.id, "left"],
        [cy.id, "left"],
      ].sort(),
    );
    assert.equal(await store.current(ada.id, Date.now()), undefined);
    const answer = await nodes[1]!.get<{ current: { startedAt: number }; sessions: { end: string }[] }>(
      "/api/me/sessions",
      { token: ada.token },
    );
    assert.deepEqual(
      answer.body.sessions.map(({ end }) => end),
      ["timeout"],
    );
    assert.ok(answer.body.current.startedAt > 0, "asking began a new session");
  }
});
