import assert from "node:assert/strict";
import { LARGEST_AWARD } from "../../src/entities/prizes/PrizeLedger.ts";
import { dailyPoolsJob } from "../../src/schedulers/pools/dailyPoolsJob.ts";
import type { PoolsFinalised, PoolsJobPorts } from "../../src/schedulers/pools/finalising.ts";
import { SETTLED_MS } from "../../src/schedulers/pools/settled.ts";
import { weeklyPoolsJob } from "../../src/schedulers/pools/weeklyPoolsJob.ts";
import { runJob } from "../support/runJob.ts";
import { at, DATABASES, PoolWorld, useWorld } from "./poolWorld.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const DAY = at("2026-11-21T00:00:00Z");
const MIDNIGHT = DAY + DAY_MS;
const GAMES = 5;
const SNAKE = { game: "snake", period: "daily" } as const;

for (const [name, open] of Object.entries(DATABASES)) {
  describe(`prize pools (${name})`, () => {
    let world: PoolWorld;
    useWorld(open, (made) => {
      world = made;
    });
    beforeEach(async () => {
      world.now = DAY + 12 * HOUR_MS;
      // The week before is over and done with.
      await runJob(weeklyPoolsJob(world.ports));
    });

    const finalise = async (ports: Partial<PoolsJobPorts> = {}, options: Parameters<typeof runJob>[1] = {}) =>
      (await runJob<PoolsFinalised>(dailyPoolsJob({ ...world.ports, ...ports }), options)).result;
    const history = () => world.operations.finalised(SNAKE, 100);
    const openNow = async () =>
      (await world.operations.open()).find(({ game, period }) => game === "snake" && period === "daily")!;

    it("are open for every game and period, with what is in them and who leads", async () => {
      await world.contribute("5");
      await world.contribute("7");
      await world.contribute("1", { item: "PRIVATE_PASS" });
      await world.enter(
        { player: "ada", score: 10, storedAt: DAY },
        { player: "bob", name: "Bob", score: 12, storedAt: DAY + 5 },
        { player: "eve", score: 99, storedAt: DAY - 1 },
      );
      const pools = await world.operations.open();
      assert.equal(pools.length, 2 * GAMES);
      const [daily] = pools.filter(({ game, period }) => game === "snake" && period === "daily");
      assert.deepEqual(daily, {
        ...SNAKE,
        startsAt: DAY,
        endsAt: MIDNIGHT,
        items: [
          { item: "PRIVATE_PASS", amount: "1" },
          { item: "TICO", amount: "12" },
        ],
        leader: { playerId: "bob", name: "Bob", score: 12 },
      });
      const weekly = pools.find(({ game, period }) => game === "snake" && period === "weekly")!;
      assert.deepEqual(
        [weekly.startsAt, weekly.items, weekly.leader?.playerId],
        [at("2026-11-16T00:00:00Z"), [], "eve"],
      );
      assert.equal(pools.find(({ game }) => game === "pong")!.leader, null);
    });

    it("are paid to the highest score of their time, once, with the winner's wallet of that moment", async () => {
      await world.player("bob", "0xb0b");
      await world.contribute("12");
      await world.contribute("2", { item: "PRIVATE_PASS" });
      await world.enter(
        { player: "ada", score: 10, storedAt: DAY + 1 },
        { player: "bob", name: "Bob", score: 12.25, storedAt: MIDNIGHT - 1 },
        { player: "late", score: 99, storedAt: MIDNIGHT },
        { player: "pro", score: 999, storedAt: DAY + 1, game: "pong" },
      );
      world.now = MIDNIGHT + SETTLED_MS;
      assert.deepEqual(await finalise(), { finalised: GAMES, failed: [], more: false });
      const expected = {
        startsAt: DAY,
        endsAt: MIDNIGHT,
        finalisedAt: world.now,
        winner: { playerId: "bob", name: "Bob", wallet: "0xb0b", score: 12.25 },
        paid: [
          { item: "PRIVATE_PASS", amount: "2" },
          { item: "TICO", amount: "12" },
        ],
        carriedOver: [],
      };
      assert.deepEqual(await history(), [expected]);
      assert.deepEqual(await world.inventory("bob"), expected.paid);
      assert.deepEqual(await finalise(), { finalised: 0, failed: [], more: false });
      assert.deepEqual(await history(), [expected]);
      assert.deepEqual(await world.inventory("bob"), expected.paid);
      const [award] = await world.database.query<{ source_id: string }>("SELECT source_id FROM awards LIMIT 1");
      assert.equal(award!.source_id, `snake:daily:${DAY}`);
    });

    it("go to who came first among equal scores, and to nobody of a cancelled tournament", async () => {
      await world.tournament("off");
      await world.enter(
        { player: "zoe", score: 10, storedAt: DAY + 5 },
        { player: "ada", score: 10, storedAt: DAY + 5 },
        { player: "abe", score: 10, storedAt: DAY + 6 },
        { player: "eve", score: 99, storedAt: DAY + 1, tournament: "off" },
      );
      await world.cancel("off");
      world.now = MIDNIGHT + SETTLED_MS;
      await finalise();
      assert.equal((await history())[0]!.winner!.playerId, "zoe");
    });

    it("wait until what was stored in their time is there", async () => {
      world.now = MIDNIGHT;
      await finalise();
      assert.deepEqual(world.waits, [SETTLED_MS]);
      world.now = MIDNIGHT + HOUR_MS;
      await finalise();
      assert.equal(world.waits.length, 1);
    });

    it("stop waiting when the run is given up", async () => {
      world.now = MIDNIGHT;
      const abort = new AbortController();
      const schedule = () => {
        abort.abort(new Error("given up"));
        return () => {};
      };
      const clock = { now: () => world.now, schedule };
      await assert.rejects(finalise({ clock }, { signal: abort.signal }), /given up/);
      assert.deepEqual(await history(), []);
    });

    it("hand on what nobody won, once, until somebody does", async () => {
      await world.contribute("5");
      world.now = MIDNIGHT + HOUR_MS;
      await world.contribute("3");
      await finalise();
      await finalise();
      const [first] = await history();
      assert.deepEqual([first!.winner, first!.paid, first!.carriedOver], [null, [], [{ item: "TICO", amount: "5" }]]);
      assert.deepEqual((await openNow()).items, [{ item: "TICO", amount: "8" }]);
      world.now += DAY_MS;
      await finalise();
      await world.enter({ player: "ada", score: 1, storedAt: world.now });
      world.now += DAY_MS;
      await finalise();
      assert.deepEqual(await world.inventory("ada"), [{ item: "TICO", amount: "8" }]);
      assert.deepEqual((await openNow()).items, []);
      assert.deepEqual(await world.ledger.imbalances(), []);
    });

    it("pay also what has grown beyond one award while nobody won", async () => {
      const most = String(LARGEST_AWARD);
      for (let days = 0; days < 3; days++) {
        await world.contribute(most);
        world.now += DAY_MS;
      }
      await world.enter({ player: "ada", score: 1, storedAt: world.now - DAY_MS });
      await finalise();
      assert.deepEqual(await world.inventory("ada"), [{ item: "TICO", amount: String(3n * LARGEST_AWARD) }]);
    });

    it("of midnights that were missed are all made up for, in order, empty ones too", async () => {
      await world.enter({ player: "ada", score: 1, storedAt: DAY + 1 });
      await world.contribute("5");
      world.now = MIDNIGHT + HOUR_MS;
      await finalise();
      await world.enter({ player: "bob", score: 1, storedAt: MIDNIGHT + 2 * DAY_MS });
      world.now = MIDNIGHT + 4 * DAY_MS + HOUR_MS;
      await world.contribute("4");
      const [days, weeks] = [4, 1];
      assert.deepEqual(await finalise(), { finalised: (days + weeks) * GAMES, failed: [], more: false });
      const pools = (await history()).toReversed();
      assert.deepEqual(
        pools.map(({ startsAt, winner }) => [(startsAt - DAY) / DAY_MS, winner?.playerId]),
        [
          [0, "ada"],
          [1, undefined],
          [2, undefined],
          [3, "bob"],
          [4, undefined],
        ],
      );
      assert.deepEqual((await openNow()).items, [{ item: "TICO", amount: "4" }]);
    });

    it("begin with the first entry, also when the very first midnights were missed", async () => {
      await world.enter({ player: "ada", score: 1, storedAt: DAY + 1 });
      world.now = DAY + 3 * DAY_MS;
      await finalise();
      assert.deepEqual(
        (await history()).map(({ winner }) => winner?.playerId ?? null),
        [null, null, "ada"],
      );
    });

    it("of the other games are finalised when one fails, which fails the run and is done by the next", async () => {
      for (const game of ["snake", "pong"]) {
        await world.tournament(`of-${game}`, "open", game);
        await world.enter({ game, player: `${game}er`, score: 1, storedAt: DAY + 1, tournament: `of-${game}` });
        await world.contribute("5", { game });
      }
      world.now = MIDNIGHT + HOUR_MS;
      const ledger: PoolsJobPorts["ledger"] = {
        pay: async (tx, awards, now) => {
          if (awards.some(({ sourceId }) => sourceId.startsWith("pong:"))) throw new Error("no such luck");
          return world.ledger.pay(tx, awards, now);
        },
      };
      const states: PoolsFinalised[] = [];
      const onProgress = (state: unknown) => states.push(structuredClone(state) as PoolsFinalised);
      await assert.rejects(
        finalise({ ledger }, { onProgress }),
        /pong daily \d+: no such luck \(1 failed, 4 finalised\)/,
      );
      assert.deepEqual(states.at(-1), {
        finalised: 4,
        failed: [{ game: "pong", period: "daily", startsAt: DAY, error: "no such luck" }],
        more: false,
      });
      assert.deepEqual(await world.inventory("snakeer"), [{ item: "TICO", amount: "5" }]);
      assert.equal((await finalise()).finalised, 1);
      assert.deepEqual(await world.inventory("ponger"), [{ item: "TICO", amount: "5" }]);
    });

    it("are finalised once when several nodes try at the same time", async () => {
      await world.enter({ player: "ada", score: 1, storedAt: DAY + 1 });
      await world.contribute("5");
      await world.contribute("9", { game: "tetris" });
      world.now = MIDNIGHT + HOUR_MS;
      const runs = await Promise.all([finalise(), finalise(), finalise()]);
      assert.equal(
        runs.reduce((sum, { finalised }) => sum + finalised, 0),
        GAMES,
      );
      assert.deepEqual(await world.inventory("ada"), [{ item: "TICO", amount: "5" }]);
      assert.equal(await world.count("awards"), 1);
      const tetris = (await world.operations.open()).find(({ game }) => game === "tetris")!;
      assert.deepEqual(tetris.items, [{ item: "TICO", amount: "9" }]);
    });

    it("take contributions while they are finalised, each in exactly one pool", async () => {
      await world.enter({ player: "ada", score: 1, storedAt: DAY + 1 });
      world.now = MIDNIGHT + HOUR_MS;
      // Their nodes' clocks are behind, so that they mean the pool that is being finalised.
      const late = world.now;
      let isLate = true;
      const operations = new PoolWorld(world.database);
      Object.defineProperty(operations, "now", { get: () => (isLate ? MIDNIGHT - 1 : late) });
      const given = Array.from({ length: 20 }, (_, each) => operations.contribute("1", { key: `k${each}` }));
      const [outcomes] = await Promise.all([Promise.allSettled(given), finalise()]);
      const refused = outcomes.filter(({ status }) => status === "rejected") as PromiseRejectedResult[];
      for (const { reason } of refused) assert.equal(reason.code, "conflict");
      isLate = false;
      await Promise.all(outcomes.map((_, each) => operations.contribute("1", { key: `k${each}` })));
      const paid = Number((await world.inventory("ada"))[0]?.amount ?? 0);
      const inOpen = Number((await openNow()).items[0]?.amount ?? 0);
      assert.equal(paid, 20 - refused.length);
      assert.equal(inOpen, refused.length);
    });

    it("take a contribution once for its key, also after midnight", async () => {
      const first = await world.contribute("5", { key: "k" });
      assert.deepEqual(first, {
        contributionId: first.contributionId,
        ...SNAKE,
        startsAt: DAY,
        endsAt: MIDNIGHT,
        item: "TICO",
        amount: "5",
      });
      assert.deepEqual(await world.contribute("6", { key: "k" }), first);
      const both = await Promise.all([world.contribute("1", { key: "l" }), world.contribute("1", { key: "l" })]);
      assert.deepEqual(both[0], both[1]);
      world.now = MIDNIGHT + HOUR_MS;
      assert.deepEqual(await world.contribute("5", { key: "k" }), first);
      assert.deepEqual((await openNow()).items, []);
      assert.equal(await world.count("pool_contributions"), 2);
    });

    it("refuse what is no item, no game, or too much", async () => {
      await assert.rejects(world.contribute("1", { item: "GOLD" }), { code: "not_found" });
      await assert.rejects(world.contribute("1", { game: "chess" }), { code: "not_found" });
      await assert.rejects(world.operations.finalised({ game: "chess", period: "daily" }, 1), { code: "not_found" });
      await world.contribute(String(LARGEST_AWARD - 1n));
      await assert.rejects(world.contribute("2"), { code: "conflict" });
      assert.equal((await world.contribute("1")).amount, "1");
    });

    it("of weeks are finalised once by the jobs of days and of weeks, which run at the same time on Mondays", async () => {
      await world.contribute("5", { period: "weekly" });
      await world.contribute("7", { period: "weekly", game: "pong" });
      await world.enter({ player: "ada", score: 1, storedAt: DAY });
      world.now = at("2026-11-23T00:00:00Z");
      const weekly = runJob<PoolsFinalised>(weeklyPoolsJob(world.ports));
      const [days, weeks] = await Promise.all([finalise(), weekly]);
      // The week and Sunday of each, and Saturday of the one that was played.
      assert.equal(days.finalised + weeks.result.finalised, 2 * GAMES + 1);
      assert.deepEqual(await world.inventory("ada"), [{ item: "TICO", amount: "5" }]);
      const pong = (await world.operations.open()).filter(({ game }) => game === "pong");
      assert.deepEqual(
        pong.map(({ period, items }) => [period, items]),
        [
          ["daily", []],
          ["weekly", [{ item: "TICO", amount: "7" }]],
        ],
      );
    });

    it("of weeks end at midnight before Monday", async () => {
      await world.contribute("5", { period: "weekly" });
      await world.enter({ player: "ada", score: 1, storedAt: DAY });
      world.now = at("2026-11-22T23:59:59Z");
      const run = () => runJob<PoolsFinalised>(weeklyPoolsJob(world.ports));
      assert.equal((await run()).result.finalised, 0);
      world.now = at("2026-11-23T00:00:00Z");
      assert.equal((await run()).result.finalised, GAMES);
      assert.deepEqual(await world.inventory("ada"), [{ item: "TICO", amount: "5" }]);
    });
  });
}
