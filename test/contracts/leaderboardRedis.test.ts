import assert from "node:assert/strict";
import type { Redis } from "ioredis";
import { connectRedis, whenReady } from "../../src/stores/runtime/redis.ts";
import type { PlayerSnapshot, SubmitDecision } from "../../src/stores/tournaments/Leaderboard.ts";
import { RedisLeaderboard } from "../../src/stores/tournaments/RedisLeaderboard.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { type RedisServer, startRedis } from "../support/servers.ts";
import { freshBoard } from "./leaderboards.ts";

const NOW = 1_700_000_000_000;

function* players(count: number): Generator<PlayerSnapshot> {
  for (let n = 1; n <= count; n += 1) {
    const latest = {
      ...{ playerId: `p-${n}`, playerName: `P ${n}`, submissionId: "one", entryNo: 1, score: n, subscore: 0 },
      ...{ best: n, bestSubscore: 0, seq: n, reachedSeq: n, toldRank: 1 },
    };
    yield { latest, remembered: [latest] };
  }
}

describe("RedisLeaderboard and its server", () => {
  const board = freshBoard();
  let server: RedisServer;
  let redis: Redis;
  let leaderboard: RedisLeaderboard;
  let submissions = 0;
  const clients: Redis[] = [];

  async function connect(): Promise<Redis> {
    const client = connectRedis(server.url, "leaderboard-test");
    clients.push(client);
    await whenReady(client);
    return client;
  }

  before(async () => {
    server = await startRedis({ keepData: true });
    redis = await connect();
    leaderboard = new RedisLeaderboard(redis);
  });
  after(async () => {
    await leaderboard.close();
    for (const client of clients) client.disconnect();
    await server.stop();
  });
  beforeEach(() => leaderboard.load(board, { epoch: 1, submissions: 0, players: [] }));
  afterEach(() => leaderboard.drop(board));

  const submit = (playerId: string, score: number): Promise<SubmitDecision> => {
    submissions += 1;
    return leaderboard.submit(board, {
      ...{ playerId, playerName: `Name of ${playerId}`, submissionId: `submission-${submissions}`, score, subscore: 0 },
      ...{ now: NOW, isNew: true },
    });
  };

  const keys = (): Promise<string[]> => redis.keys("*");

  async function bytesOf(): Promise<number> {
    let bytes = 0;
    for (const key of await keys()) bytes += (await redis.memory("USAGE", key, "SAMPLES", 0)) ?? 0;
    return bytes;
  }

  it("takes a board that a restart brought back for lost, since it may be older than what was acknowledged", async () => {
    assert.equal((await submit("ann", 1)).kind, "accepted");
    await server.kill();
    await assert.rejects(submit("ann", 2), { code: "unavailable" });
    await assert.rejects(leaderboard.page(board, 0, 1), { code: "unavailable" });
    await assert.rejects(leaderboard.around(board, "ann", 1), { code: "unavailable" });
    await assert.rejects(leaderboard.load(board, { epoch: 2, submissions: 0, players: [] }), { code: "unavailable" });
    await server.restart();
    const answers = (): Promise<boolean> =>
      submit("ann", 3).then(
        () => true,
        () => false,
      );
    await until(answers, { what: "Redis answers again", timeoutMs: DEADLINE_MS });
    assert.equal(await redis.exists(`{board:${board.id}}:meta`), 1);
    assert.deepEqual(await submit("ann", 4), { kind: "missing" });
    assert.equal(await leaderboard.page(board, 0, 1), undefined);
    assert.equal(await leaderboard.around(board, "ann", 1), undefined);

    assert.equal(await leaderboard.load(board, { epoch: 1, submissions: 0, players: [] }), true);
    assert.equal((await submit("ann", 5)).kind, "accepted");
  });

  it("goes on when the server has forgotten the scripts", async () => {
    await submit("ann", 1);
    await redis.script("FLUSH");
    const decisions = await Promise.all([submit("bob", 2), submit("cy", 3)]);
    assert.deepEqual(
      decisions.map((decision) => decision.kind === "accepted" && decision.entry.toldRank),
      [1, 1],
    );
    await redis.script("FLUSH");
    assert.equal((await leaderboard.page(board, 0, 10))?.total, 3);
  });

  it("gives no number twice, though a decision fails in the middle of its batch", async () => {
    await submit("ann", 1);
    const players = `{board:${board.id}}:players`;
    const packed = await redis.hgetBuffer(players, "ann");
    await redis.hset(players, "ann", "torn");
    const batch = await Promise.allSettled([submit("bob", 1), submit("ann", 2), submit("cy", 3)]);
    assert.ok(batch.every(({ status }) => status === "rejected"));
    await redis.hset(players, "ann", packed!);
    const seqs: number[] = [];
    for (const playerId of ["ann", "bob", "cy"]) {
      const decision = await submit(playerId, 4);
      assert.ok(decision.kind === "accepted");
      seqs.push(decision.entry.seq, decision.previous?.seq ?? 0);
    }
    const given = seqs.filter((seq) => seq > 0);
    assert.equal(new Set(given).size, given.length, `of ${given}`);
  });

  it("is not half there, nor in the way, after a load that was killed in the middle", async () => {
    await leaderboard.drop(board);
    const dying = await connect();
    const killed = new RedisLeaderboard(dying);
    function* thenDie(): Generator<PlayerSnapshot> {
      yield* players(600);
      dying.disconnect();
      yield* players(400);
    }
    await assert.rejects(killed.load(board, { epoch: 1, submissions: 0, players: thenDie() }), { code: "unavailable" });
    const staged = await redis.keys("*:load*");
    assert.equal(staged.length, 3);
    for (const key of staged) assert.ok((await redis.pttl(key)) > 0, key);
    assert.deepEqual(await submit("ann", 1), { kind: "missing" });

    assert.equal(await leaderboard.load(board, { epoch: 1, submissions: 2, players: players(2) }), true);
    assert.equal((await leaderboard.page(board, 0, 0))?.total, 2);
  });

  it("lets a load that begins before another ends win over it", async () => {
    const later = Promise.withResolvers<void>();
    const isRead = Promise.withResolvers<void>();
    async function* laterPlayers(): AsyncGenerator<PlayerSnapshot> {
      isRead.resolve();
      await later.promise;
      yield* players(3);
    }
    let other: Promise<boolean> | undefined;
    async function* overtaken(): AsyncGenerator<PlayerSnapshot> {
      other = leaderboard.load(board, { epoch: 2, submissions: 3, players: laterPlayers() });
      await isRead.promise;
      yield* players(0);
    }
    assert.equal(await leaderboard.load(board, { epoch: 2, submissions: 0, players: overtaken() }), false);
    later.resolve();
    assert.equal(await other, true);
    assert.equal((await leaderboard.page(board, 0, 0))?.total, 3);
  });

  it("puts nothing in the place of what is live when staged players were lost", async () => {
    await submit("ann", 1);
    async function* losing(): AsyncGenerator<PlayerSnapshot> {
      yield* players(600);
      await redis.del(`{board:${board.id}}:load:ranks`);
    }
    assert.equal(await leaderboard.load(board, { epoch: 2, submissions: 0, players: losing() }), false);
    assert.equal((await leaderboard.page(board, 0, 0))?.total, 1);
  });

  it("keeps all of a board under its hash tag, and leaves nothing behind", async () => {
    await leaderboard.load(board, { epoch: 2, submissions: 0, players: players(700) });
    await submit("ann", 1);
    assert.deepEqual(
      (await keys()).sort(),
      ["meta", "players", "ranks"].map((key) => `{board:${board.id}}:${key}`),
    );
    await leaderboard.drop(board);
    assert.deepEqual(await keys(), []);
  });

  it("has all of a board end at once some weeks after it was loaded, also what came to be since, and came to be again", async () => {
    const meta = `{board:${board.id}}:meta`;
    const endsAtOnce = async (collections: number): Promise<void> => {
      const all = await keys();
      assert.equal(all.length, collections);
      const ends = await Promise.all(all.map((key) => redis.pexpiretime(key)));
      assert.deepEqual(new Set(ends), new Set([Number(await redis.hget(meta, "expiresAt"))]));
    };
    await endsAtOnce(1);
    assert.ok(Math.abs((await redis.pttl(meta)) - 30 * 86_400_000) < 60_000);
    await submit("ann", 1);
    await endsAtOnce(3);
    await submit("ann", 2);
    await endsAtOnce(3);
    await leaderboard.load(board, { epoch: 2, submissions: 0, players: players(700) });
    await endsAtOnce(3);
    const soon = Date.now() + 50;
    for (const key of await keys()) await redis.pexpireat(key, soon);
    await until(async () => (await submit("ann", 3)).kind === "missing", { what: "it ends", timeoutMs: DEADLINE_MS });
    assert.equal(await leaderboard.load(board, { epoch: 1, submissions: 0, players: [] }), true);
  });

  it("uses memory by players, as much as it says, and not by entries", async () => {
    const playAll = async (rounds: number): Promise<void> => {
      for (let round = 0; round < rounds; round += 1) {
        const many = Array.from({ length: 1000 }, (_, n) =>
          submit(`player-id-${n}`, Math.round(1e15 * Math.sin(n * 1000 + round))),
        );
        await Promise.all(many);
      }
    };
    await playAll(1);
    const once = (await bytesOf()) / 1000;
    await playAll(10);
    const often = (await bytesOf()) / 1000;
    await playAll(10);
    const oftener = (await bytesOf()) / 1000;
    console.log(
      `      bytes a player in Redis: ${Math.round(once)} with one entry, ${Math.round(often)} with eight or more`,
    );
    assert.ok(once < 500 && often < 900, `${once} bytes a player, then ${often}`);
    assert.ok(oftener < often + 5, `${often} bytes a player became ${oftener}`);
  });
});
