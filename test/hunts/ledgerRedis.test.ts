import assert from "node:assert/strict";
import type { Redis } from "ioredis";
import { assignmentIdOf } from "../../src/stores/hunts/assignments.ts";
import { type AssignmentRow, OUTCOME } from "../../src/stores/hunts/ClueLedger.ts";
import { RedisClueLedger } from "../../src/stores/hunts/RedisClueLedger.ts";
import { connectRedis, whenReady } from "../../src/stores/runtime/redis.ts";
import { freshHunt } from "../contracts/ledgers.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { type RedisServer, startRedis } from "../support/servers.ts";

const NOW = 1_700_000_000_000;

function openRows(count: number): AssignmentRow[] {
  return Array.from({ length: count }, (_, instance) => ({
    ...{ instance, generation: 1, playerId: `p-${instance}`, playerName: `P ${instance}`, openedAt: NOW },
    ...{
      expiresAt: NOW + 60_000,
      attemptsBefore: 0,
      requestMarks: "",
      attemptsUsed: 0,
      outcome: OUTCOME.open,
      closedAt: 0,
      points: 0,
      solveSeq: 0,
    },
  }));
}

describe("RedisClueLedger and its server", () => {
  const hunt = freshHunt({ total: 5000, repeatable: [true, true, true] });
  let server: RedisServer;
  let redis: Redis;
  let ledger: RedisClueLedger;
  const clients: Redis[] = [];

  async function connect(): Promise<Redis> {
    const client = connectRedis(server.url, "ledger-test");
    clients.push(client);
    await whenReady(client);
    return client;
  }

  before(async () => {
    server = await startRedis({ keepData: true });
    redis = await connect();
    ledger = new RedisClueLedger(redis);
  });
  after(async () => {
    await ledger.close();
    for (const client of clients) client.disconnect();
    await server.stop();
  });
  beforeEach(() => ledger.load(hunt, { epoch: 1, issued: 5000, rows: [] }));
  afterEach(() => ledger.drop(hunt));

  const claim = (playerId: string) => ledger.claim(hunt, { playerId, playerName: playerId, nodeId: "n1", now: NOW });

  it("takes hot state that a restart brought back for lost, since it may be older than what was acknowledged", async () => {
    assert.equal((await claim("ann")).kind, "assigned");
    await server.kill();
    await assert.rejects(claim("ann"), { code: "unavailable" });
    await assert.rejects(ledger.read(hunt, 1), { code: "unavailable" });
    await assert.rejects(ledger.issue(hunt, 6000, NOW), { code: "unavailable" });
    await assert.rejects(ledger.load(hunt, { epoch: 2, issued: 0, rows: [] }), { code: "unavailable" });
    await server.restart();
    await until(
      () =>
        claim("ann").then(
          () => true,
          () => false,
        ),
      { what: "Redis answers again", timeoutMs: DEADLINE_MS },
    );
    assert.equal(await redis.exists(`{hunt3:${hunt.id}}:meta`), 1);
    assert.deepEqual(await claim("ann"), { kind: "missing" });
    assert.equal(await ledger.read(hunt, 1), undefined);

    assert.equal(await ledger.load(hunt, { epoch: 1, issued: 1, rows: [] }), true);
    assert.equal((await claim("ann")).kind, "assigned");
  });

  it("goes on when the server has forgotten the scripts", async () => {
    await claim("ann");
    await redis.script("FLUSH");
    const [bob, cy] = await Promise.all([claim("bob"), claim("cy")]);
    assert.deepEqual(
      [bob, cy].map((decision) => decision.kind === "assigned" && decision.row.instance),
      [1, 2],
    );
  });

  it("is not half there, nor in the way, after a load that was killed in the middle", async () => {
    await ledger.drop(hunt);
    const dying = await connect();
    let calls = 0;
    const evalsha = dying.evalsha.bind(dying) as (...args: unknown[]) => Promise<unknown>;
    dying.evalsha = ((...args: unknown[]) => {
      calls += 1;
      if (calls === 4) dying.disconnect();
      return evalsha(...args);
    }) as typeof dying.evalsha;
    const killed = new RedisClueLedger(dying);
    await assert.rejects(killed.load(hunt, { epoch: 1, issued: 0, rows: openRows(3000) }), { code: "unavailable" });
    assert.equal(await redis.hlen(`{hunt3:${hunt.id}}:load:players`), 1000);
    assert.deepEqual(await claim("ann"), { kind: "missing" });

    assert.equal(await ledger.load(hunt, { epoch: 2, issued: 0, rows: openRows(2) }), true);
    assert.equal((await ledger.read(hunt, 0))?.players, 2);
  });

  it("ends at once some weeks after it was loaded, also what came to be since, and came to be again", async () => {
    await ledger.load(hunt, { epoch: 2, issued: 2, rows: [] });
    const hasTheEndOf = async (names: string): Promise<void> => {
      const keys = await redis.keys(`{hunt3:${hunt.id}}:*`);
      assert.deepEqual(new Set(keys.map((key) => key.split(":").at(-1))), new Set(names.split(" ")));
      const ends = await Promise.all(keys.map((key) => redis.pexpiretime(key)));
      assert.deepEqual(new Set(ends), new Set([Number(await redis.hget(`{hunt3:${hunt.id}}:meta`, "expiresAt"))]));
    };
    await hasTheEndOf("meta");
    assert.ok(Math.abs((await redis.pttl(`{hunt3:${hunt.id}}:meta`)) - 30 * 86_400_000) < 60_000);
    const solve = (playerId: string, row: AssignmentRow, correct: boolean) =>
      ledger.solve(hunt, { playerId, assignmentId: assignmentIdOf(row), correct, now: NOW });
    const given = async (playerId: string): Promise<AssignmentRow> => {
      const decision = await claim(playerId);
      assert.ok(decision.kind === "assigned");
      return decision.row;
    };
    const ann = await given("ann");
    const bob = await given("bob");
    await hasTheEndOf("meta players templates expiry");
    assert.equal((await claim("cid")).kind, "waiting");
    await hasTheEndOf("meta players templates expiry waiting waiters");
    assert.equal((await solve("ann", ann, true)).kind, "solved");
    await hasTheEndOf("meta players templates expiry waiting waiters scores");
    await ledger.forget(hunt, "cid", "n1", ["n1"]);
    await hasTheEndOf("meta players templates expiry scores");
    for (let attempt = 1; attempt <= hunt.rules.attempts; attempt += 1) await solve("bob", bob, false);
    await hasTheEndOf("meta players returned templates scores");
    await given("dot");
    assert.equal((await claim("cid")).kind, "waiting");
    await hasTheEndOf("meta players templates expiry waiting waiters scores");
  });

  it("ends at once also where it was loaded with all that there is", async () => {
    await ledger.load(hunt, { epoch: 2, issued: 0, rows: openRows(700) });
    const keys = await redis.keys(`{hunt3:${hunt.id}}:*`);
    assert.equal(keys.length, 4);
    assert.equal(new Set(await Promise.all(keys.map((key) => redis.pexpiretime(key)))).size, 1);
    for (const key of keys) assert.ok((await redis.pttl(key)) > 0, key);
  });

  it("is missing once it has ended, and may be loaded anew", async () => {
    await claim("ann");
    const soon = Date.now() + 50;
    for (const key of await redis.keys(`{hunt3:${hunt.id}}:*`)) await redis.pexpireat(key, soon);
    await until(async () => (await claim("ann")).kind === "missing", { what: "it ends", timeoutMs: DEADLINE_MS });
    assert.equal(await ledger.load(hunt, { epoch: 1, issued: 1, rows: [] }), true);
  });

  it("asks Redis for as much when a player is done with all of 500 clues, or all but the last, as with one", async () => {
    /** Commands that Redis executes for a claim of a player who has solved so many of the first clues, each of which also came back. */
    async function commandsOfClaim(templates: number, solved: number): Promise<[string, number]> {
      const points = Array<number>(templates).fill(1);
      const many = freshHunt({ points, total: 3 * templates });
      const rows = openRows(2 * solved).map((row, n): AssignmentRow => {
        const over = { ...row, closedAt: NOW + n };
        if (n % 2 === 0) return { ...over, instance: n / 2, outcome: OUTCOME.expired };
        const instance = templates + (n - 1) / 2;
        return { ...over, instance, playerId: "ann", attemptsUsed: 1, points: 1, solveSeq: n, outcome: OUTCOME.solved };
      });
      await ledger.load(many, { epoch: 1, issued: 3 * templates, rows });
      const ask = () => ledger.claim(many, { playerId: "ann", playerName: "Ann", nodeId: "n1", now: NOW + 5000 });
      await redis.config("RESETSTAT");
      const { kind } = await ask();
      const calls = [...(await redis.info("commandstats")).matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)];
      await ledger.drop(many);
      const executed = calls.filter(([, name]) => !/^(config|info|script|eval)/.test(name!));
      return [kind, executed.reduce((sum, [, , count]) => sum + Number(count), 0)];
    }
    const one = await commandsOfClaim(1, 1);
    assert.ok(one[0] === "exhausted" && one[1] > 3);
    assert.deepEqual(await commandsOfClaim(500, 500), one);
    const few = await commandsOfClaim(2, 1);
    assert.equal(few[0], "assigned");
    assert.deepEqual(await commandsOfClaim(500, 499), few);
  });

  it("uses memory by players and never by assignments", async () => {
    const play = async (rounds: number): Promise<void> => {
      for (let round = 0; round < rounds; round += 1) {
        await Promise.all(
          Array.from({ length: 10 }, async (_, n) => {
            const decision = await claim(`p-${n}`);
            assert.ok(decision.kind === "assigned");
            const assignmentId = assignmentIdOf(decision.row);
            // Who never solves a clue does not get it again.
            const correct = round < 3 || (n + round) % 3 > 0;
            for (let tries = 0; tries < 3; tries += 1) {
              await ledger.solve(hunt, { playerId: `p-${n}`, assignmentId, correct, now: NOW });
            }
          }),
        );
      }
    };
    const used = async (): Promise<number> => {
      let bytes = 0;
      for (const key of await redis.keys("*")) bytes += (await redis.memory("USAGE", key, "SAMPLES", 0)) ?? 0;
      return bytes;
    };
    await play(20);
    const early = await used();
    await play(100);
    // A thousand assignments on: numbers have become wider, and a byte an assignment would be twice as much.
    assert.ok((await used()) < early + 500, `${early} bytes became ${await used()}`);
    assert.ok(early < 10 * 400, `${early} bytes for ten players`);
  });

  it("keeps nothing of a waiting claim that was served or forgotten", async () => {
    await ledger.load(hunt, { epoch: 2, issued: 0, rows: [] });
    for (const player of ["ann", "bob", "cy"]) await claim(player);
    const ofQueue = (): Promise<string[]> => redis.keys("*:wait*");
    assert.equal((await ofQueue()).length, 2);
    await ledger.forget(hunt, "bob", "n1", ["n1"]);
    await ledger.issue(hunt, 2, NOW);
    assert.deepEqual(await ofQueue(), []);
  });

  it("keeps all of a hunt under its hash tag, and leaves nothing behind", async () => {
    await ledger.load(hunt, { epoch: 2, issued: 3, rows: openRows(2) });
    await claim("ann");
    await claim("bob");
    const keys = await redis.keys("*");
    assert.ok(keys.length >= 5);
    assert.ok(
      keys.every((key) => key.startsWith(`{hunt3:${hunt.id}}:`)),
      keys.join(),
    );
    await ledger.drop(hunt);
    assert.deepEqual(await redis.keys("*"), []);
  });

  it("answers what it was asked before it closes, and refuses what comes after", async () => {
    const closing = new RedisClueLedger(redis);
    const request = { playerId: "ann", playerName: "Ann", nodeId: "n1", now: NOW };
    const asked = closing.claim(hunt, request);
    const closed = closing.close();
    await assert.rejects(closing.claim(hunt, request), { code: "draining" });
    assert.equal((await asked).kind, "assigned");
    await closed;
  });
});
