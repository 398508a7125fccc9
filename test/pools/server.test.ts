import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { removeDirectory, temporaryDirectory } from "../../scripts/processes/guard.ts";
import { periodBefore } from "../../src/actors/pools/periods.ts";
import type { JobRun } from "../../src/entities/jobs/Job.ts";
import type { Draw } from "../../src/entities/pools/Draw.ts";
import { OPERATOR_TOKEN_MS } from "../../src/http/auth/tokens.ts";
import { openDatabase } from "../support/database.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { RingmasterNode, type SendOptions, tokenOf, tokens } from "../support/RingmasterNode.ts";
import { PoolWorld } from "./poolWorld.ts";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const LAST_WEEK = periodBefore("weekly", "UTC", Date.now());

describe("pools, rankings and draws of a whole server", function () {
  this.timeout(120_000);
  let directory: string;
  let node: RingmasterNode;
  let operator: string;

  before(async () => {
    directory = temporaryDirectory("pools-test");
    const path = join(directory, "ringmaster.sqlite");
    operator = await tokenOf("operator");
    const world = new PoolWorld(await openDatabase({ kind: "sqlite", path }));
    await world.tournament("old", "settled");
    await world.enter(
      ...Array.from({ length: 25 }, (_, each) => ({
        ...{ player: `p${each % 10}`, score: each, tournament: "old" },
        storedAt: LAST_WEEK.startsAt + each * 3_600_000,
      })),
    );
    await world.database.close();
    node = await RingmasterNode.start({ DATABASE_URL: `sqlite:${path}`, DEMO: "false" });
  });

  after(async () => {
    await node?.kill();
    removeDirectory(directory);
  });

  const get = async <Body>(path: string): Promise<Body> => (await node.get<Body>(`/api/${path}`)).body;
  const contribute = (pool: string, body: object, options: SendOptions = {}) =>
    node.post<Record<string, unknown>>(`/api/pools/${pool}/contribute`, { token: operator, body, ...options });
  const ran = async (job: string): Promise<JobRun> => {
    const token = operator;
    const { body } = await node.post<{ scheduledAt: number }>(`/api/jobs/trigger/${job}`, { token });
    return until(
      async () => {
        const { runs } = (await node.get<{ runs: JobRun[] }>(`/api/jobs/history?job=${job}`, { token })).body;
        return runs.find((run) => run.scheduledAt === body.scheduledAt && run.finishedAt !== null);
      },
      { timeoutMs: DEADLINE_MS, what: `the run of ${job} has ended` },
    );
  };

  it("draws at its start what was missed, and anybody can verify it from the API alone", async () => {
    const [draw] = await until(
      async () => {
        const { draws } = await get<{ draws: Draw[] }>("draws");
        return draws.length > 0 ? draws : undefined;
      },
      { timeoutMs: DEADLINE_MS, what: "last week's draw is made" },
    );
    const players: string[] = [];
    for (let page: string[] = []; players.length < draw!.candidates; players.push(...page)) {
      const path = `draws/${draw!.weekStartsAt}?limit=3&offset=${players.length}`;
      page = (await get<{ players: string[] }>(path)).players;
      assert.ok(page.length > 0);
    }
    assert.deepEqual([draw!.weekStartsAt, draw!.weekEndsAt], [LAST_WEEK.startsAt, LAST_WEEK.endsAt]);
    assert.equal(sha256(players.join("\n")), draw!.candidatesHash);
    const count = BigInt(players.length);
    const bound = 2n ** 256n - (2n ** 256n % count);
    let number = bound;
    for (let attempt = 0; number >= bound; attempt++)
      number = BigInt(`0x${sha256(`${draw!.seed}:${draw!.candidatesHash}:${attempt}`)}`);
    assert.equal(players[Number(number % count)], draw!.winner!.playerId);
    assert.equal(players.length, 10);
  });

  it("ranks the players of a game by hand as well", async () => {
    assert.equal((await ran("rankings")).outcome, "succeeded");
    const all = await get<{ rows: Array<Record<string, unknown>>; total: number }>("rankings/snake/all?limit=2");
    assert.equal(all.total, 10);
    assert.deepEqual(
      all.rows.map(({ rank, playerId, score, entries }) => [rank, playerId, score, entries]),
      [
        [1, "p4", 24, 3],
        [2, "p3", 23, 3],
      ],
    );
    const around = await get<{ rows: Array<{ playerId: string }> }>("rankings/snake/all?limit=3&around=p3");
    assert.deepEqual(
      around.rows.map(({ playerId }) => playerId),
      ["p4", "p3", "p2"],
    );
    const week = await get<{ total: number }>(`rankings/snake/weekly?at=${LAST_WEEK.startsAt + 5}`);
    assert.equal(week.total, 10);
    assert.equal((await get<{ total: number }>("rankings/pong/daily")).total, 0);
  });

  it("takes contributions of operators, once for a key, and finalises what is over", async () => {
    const headers = { "Idempotency-Key": "once" };
    const first = await contribute("pong/weekly", { item: "TICO", amount: "250" }, { headers });
    assert.equal(first.status, 201);
    assert.deepEqual((await contribute("pong/weekly", { item: "TICO", amount: "3" }, { headers })).body, first.body);
    assert.equal((await contribute("pong/weekly", { item: "TICO", amount: "0" }, { headers })).status, 400);
    const { pools } = await get<{ pools: Array<Record<string, unknown>> }>("pools");
    assert.equal(pools.length, 10);
    const { items, leader } = pools.find(({ game, period }) => game === "pong" && period === "weekly")!;
    assert.deepEqual([items, leader], [[{ item: "TICO", amount: "250" }], null]);
    assert.equal((await ran("weekly-pools")).outcome, "succeeded");
    const past = await get<{ pools: Array<{ startsAt: number; winner: object }> }>("pools/snake/weekly?limit=1");
    assert.deepEqual(past.pools[0]!.winner, { playerId: "p4", name: "p4", wallet: null, score: 24 });
    assert.equal(past.pools[0]!.startsAt, LAST_WEEK.startsAt);
  });

  it("takes the same key on another pool, or from another operator, for another contribution", async () => {
    const headers = { "Idempotency-Key": "scoped" };
    const put = async (pool: string, amount: string, options: SendOptions = {}) =>
      (await contribute(pool, { item: "TICO", amount }, { headers, ...options })).body;
    const pools = ["breakout/daily", "breakout/weekly", "space_invaders/daily"];
    const made = [];
    for (const [at, pool] of pools.entries()) made.push(await put(pool, String(at + 1)));
    assert.equal(new Set(made.map(({ contributionId }) => contributionId)).size, 3);
    assert.deepEqual(
      made.map(({ game, period, amount }) => [`${game}/${period}`, amount]),
      pools.map((pool, at) => [pool, String(at + 1)]),
    );
    for (const [at, pool] of pools.entries()) assert.deepEqual(await put(pool, "99"), made[at], "a repeat of its own");
    const another = await tokens.issue({ playerId: "op2", name: "Op", role: "operator" }, OPERATOR_TOKEN_MS);
    assert.equal((await put("breakout/daily", "7", { token: another })).amount, "7");
    const admin = await node.client(operator).joinOrCreate("admin");
    admin.onMessage("*", () => {});
    const args = { game: "breakout", period: "daily", item: "TICO", amount: "5" };
    const command = (more: object) =>
      admin.request<unknown, Record<string, unknown>>("command", {
        ...{ name: "contributeToPool", requestId: "scoped", args: { ...args, ...more } },
      });
    const [daily, weekly] = [await command({}), await command({ period: "weekly", amount: "6" })];
    assert.deepEqual([daily.amount, weekly.amount], ["5", "6"], "the room's ids are its own, and each pool's");
    assert.deepEqual(await command({ amount: "99" }), daily);
    await admin.leave();
    const open = await get<{ pools: Array<{ game: string; period: string; items: object[] }> }>("pools");
    const items = (name: string, of: string) =>
      open.pools.find(({ game, period }) => game === name && period === of)!.items;
    assert.deepEqual(items("breakout", "daily"), [{ item: "TICO", amount: "13" }]);
    assert.deepEqual(items("breakout", "weekly"), [{ item: "TICO", amount: "8" }]);
    assert.deepEqual(items("space_invaders", "daily"), [{ item: "TICO", amount: "3" }]);
  });

  it("is read and contributed to in the room admin", async () => {
    const admin = await node.client(operator).joinOrCreate("admin");
    admin.onMessage("*", () => {});
    const args = { game: "tetris", period: "daily", item: "PRIVATE_PASS", amount: "1" };
    const command = { name: "contributeToPool", args, requestId: "once" };
    const given = await admin.request("command", command);
    assert.deepEqual(await admin.request("command", command), given);
    const query = (name: string, more: object = {}): Promise<unknown> => admin.request("query", { name, args: more });
    const pools = (await query("pools")) as Array<{ game: string; period: string; items: object[] }>;
    assert.deepEqual(pools.find(({ game, period }) => game === "tetris" && period === "daily")!.items, [
      { item: "PRIVATE_PASS", amount: "1" },
    ]);
    assert.equal(((await query("poolHistory", { game: "snake", period: "weekly" })) as object[]).length, 1);
    assert.equal(((await query("rankings", { game: "snake", period: "all" })) as { total: number }).total, 10);
    assert.equal(((await query("draws")) as object[]).length, 1);
    await admin.leave();
  });

  it("lets nobody but operators contribute", async () => {
    const body = { item: "TICO", amount: "1" };
    assert.equal((await contribute("snake/daily", body, { token: (await node.signIn()).token })).status, 403);
    assert.equal((await contribute("snake/daily", body, { token: await tokenOf("viewer") })).status, 403);
    assert.equal((await node.post("/api/pools/snake/daily/contribute", { body })).status, 401);
  });

  for (const body of [
    {},
    { item: "TICO" },
    { item: "TICO", amount: 5 },
    { item: "TICO", amount: "0" },
    { item: "TICO", amount: "-1" },
    { item: "TICO", amount: "1.5" },
    { item: "TICO", amount: "9".repeat(16) },
    { item: "tico", amount: "1" },
    { item: "TICO", amount: "1", to: "me" },
    [],
    null,
  ]) {
    it(`refuses ${JSON.stringify(body)} as a contribution`, async () => {
      assert.equal((await contribute("snake/daily", body as object)).body.error !== undefined, true);
      assert.equal((await contribute("snake/daily", body as object)).status, 400);
    });
  }

  for (const [path, status] of [
    ["pools/chess/daily", 404],
    ["pools/snake/hourly", 404],
    ["pools/snake/all", 404],
    ["pools/sn%00ake/daily", 404],
    ["pools/snake/daily?limit=0", 400],
    ["pools/snake/daily?limit=101", 400],
    ["pools/snake/daily?offset=1", 400],
    ["rankings/chess/all", 404],
    ["rankings/snake/yearly", 404],
    ["rankings/snake/all?limit=1001", 400],
    ["rankings/snake/all?offset=-1", 400],
    ["rankings/snake/all?offset=1e99", 400],
    ["rankings/snake/all?around=", 400],
    ["rankings/snake/all?around=p1&offset=1", 400],
    ["rankings/snake/daily?at=tomorrow", 400],
    ["rankings/snake/daily?at=9e15", 400],
    ["draws?limit=x", 400],
    ["draws/1", 404],
    ["draws/monday", 404],
    ["draws/-1", 404],
    [`draws/${LAST_WEEK.startsAt}?limit=0`, 400],
  ] as const) {
    it(`answers ${status} to ${path}`, async () => {
      const answer = await node.get<{ error: { code: string } }>(`/api/${path}`);
      assert.equal(answer.status, status);
      assert.equal(answer.body.error.code, status === 404 ? "not_found" : "invalid_payload");
    });
  }
});
