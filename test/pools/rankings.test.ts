import assert from "node:assert/strict";
import fc from "fast-check";
import { periodAt } from "../../src/actors/pools/periods.ts";
import { leadersOf } from "../../src/entities/pools/leaders.ts";
import { ALL_TIME, RANKING_PERIODS, type RankingKey } from "../../src/entities/pools/Ranking.ts";
import { rankingPage } from "../../src/entities/pools/rankingPage.ts";
import { type RankingsCounted, rankingsJob } from "../../src/schedulers/pools/rankingsJob.ts";
import { SETTLED_MS } from "../../src/schedulers/pools/settled.ts";
import { DEADLINE_MS, until } from "../support/processes.ts";
import { runJob } from "../support/runJob.ts";
import { type AnEntry, at, DATABASES, type PoolWorld, useWorld } from "./poolWorld.ts";

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const DAY = at("2026-11-21T00:00:00Z");

for (const [name, open] of Object.entries(DATABASES)) {
  describe(`rankings (${name})`, () => {
    let world: PoolWorld;
    useWorld(open, (made) => {
      world = made;
    });
    beforeEach(async () => {
      world.now = DAY + 12 * HOUR_MS;
    });

    const count = async (options: Parameters<typeof runJob>[1] & { page?: number } = {}) =>
      (await runJob<RankingsCounted>(rankingsJob({ ...world.ports, page: options.page ?? 100 }), options)).result;
    const keyOf = (period: RankingKey["period"], moment = world.now): RankingKey => ({
      game: "snake",
      period,
      ...(period === "all" ? ALL_TIME : periodAt(period, world.timezone, moment)),
    });
    const ranking = async (period: RankingKey["period"], moment?: number, limit = 1000) =>
      rankingPage(world.database, keyOf(period, moment), { limit, offset: 0, around: undefined });
    const shown = async (period: RankingKey["period"], moment?: number) =>
      (await ranking(period, moment)).rows.map(({ rank, playerId, score, entries }) => [
        rank,
        playerId,
        score,
        entries,
      ]);

    it("rank every player by their best score, then by who came first, and count their entries", async () => {
      await world.enter(
        { player: "ada", score: 5, storedAt: DAY + 1 },
        { player: "bob", score: 9, storedAt: DAY + 3 },
        { player: "ada", name: "Ada", score: 9, storedAt: DAY + 2 },
        { player: "ada", score: 9, storedAt: DAY + 4 },
        { player: "eve", score: -1.5, storedAt: DAY - 1 },
        { player: "pro", score: 99, storedAt: DAY + 1, game: "pong" },
      );
      assert.deepEqual(await count(), { pages: 3, ranked: 7, excluded: 0, failed: [] });
      assert.deepEqual(await shown("daily"), [
        [1, "ada", 9, 3],
        [2, "bob", 9, 1],
      ]);
      assert.deepEqual(await shown("daily", DAY - 1), [[1, "eve", -1.5, 1]]);
      assert.deepEqual(await shown("weekly"), [
        [1, "ada", 9, 3],
        [2, "bob", 9, 1],
        [3, "eve", -1.5, 1],
      ]);
      const all = await ranking("all");
      assert.deepEqual([all.total, all.rankedAt], [3, world.now]);
      assert.deepEqual(all.rows[0], {
        rank: 1,
        playerId: "ada",
        name: "Ada",
        score: 9,
        reachedAt: DAY + 2,
        entries: 3,
      });
    });

    it("count an entry once, and rank anew only what has changed", async () => {
      await world.enter({ player: "ada", score: 5, storedAt: DAY - 1 }, { player: "bob", score: 4, storedAt: DAY + 1 });
      await count();
      assert.deepEqual(await count(), { pages: 0, ranked: 0, excluded: 0, failed: [] });
      await world.enter({ player: "bob", score: 6, storedAt: world.now });
      world.now += HOUR_MS;
      assert.deepEqual(await count(), { pages: 1, ranked: 3, excluded: 0, failed: [] });
      assert.deepEqual(await shown("all"), [
        [1, "bob", 6, 2],
        [2, "ada", 5, 1],
      ]);
      assert.deepEqual(await shown("daily", DAY - 1), [[1, "ada", 5, 1]]);
    });

    it("leave entries of the last seconds to the next run, for earlier ones may be on their way", async () => {
      await world.enter({ player: "ada", score: 5, storedAt: world.now - SETTLED_MS });
      await count();
      assert.deepEqual(await shown("all"), []);
      await world.enter({ player: "bob", score: 6, storedAt: world.now - SETTLED_MS });
      world.now += 1;
      await count();
      assert.deepEqual(await shown("all"), [
        [1, "bob", 6, 1],
        [2, "ada", 5, 1],
      ]);
    });

    it("answer with a part, or with those around a player", async () => {
      await world.enter(
        ...Array.from({ length: 30 }, (_, each) => ({ player: `p${each}`, score: 100 - each, storedAt: DAY + each })),
      );
      await count();
      const ranks = async (limit: number, offset: number, around?: string) =>
        (await rankingPage(world.database, keyOf("daily"), { limit, offset, around })).rows.map(({ rank }) => rank);
      assert.deepEqual(await ranks(3, 0), [1, 2, 3]);
      assert.deepEqual(await ranks(3, 28), [29, 30]);
      assert.deepEqual(await ranks(3, 30), []);
      assert.deepEqual(await ranks(3, 0, "p9"), [9, 10, 11]);
      assert.deepEqual(await ranks(4, 0, "p9"), [9, 10, 11, 12]);
      assert.deepEqual(await ranks(3, 0, "p0"), [1, 2, 3]);
      assert.deepEqual(await ranks(3, 0, "p29"), [28, 29, 30]);
      assert.deepEqual(await ranks(3, 0, "nobody"), []);
    });

    it("take out what a cancelled tournament brought, and nothing else", async () => {
      await world.tournament("off");
      await world.enter(
        { player: "ada", score: 5, storedAt: DAY - 2 },
        { player: "ada", score: 9, storedAt: DAY + 1, tournament: "off" },
        { player: "bob", score: 7, storedAt: DAY + 2 },
        { player: "eve", score: 8, storedAt: DAY + 3, tournament: "off" },
      );
      await count();
      assert.equal((await shown("all")).length, 3);
      await world.cancel("off");
      await world.enter({ player: "ada", score: 6, storedAt: world.now });
      world.now += HOUR_MS;
      assert.equal((await count()).excluded, 1);
      const left = [
        [1, "bob", 7, 1],
        [2, "ada", 6, 2],
      ];
      assert.deepEqual(await shown("all"), left);
      assert.deepEqual(await shown("weekly"), left);
      assert.deepEqual(await shown("daily"), [
        [1, "bob", 7, 1],
        [2, "ada", 6, 1],
      ]);
      assert.deepEqual(await count(), { pages: 0, ranked: 0, excluded: 0, failed: [] });
    });

    it("count and rank once when several nodes do it at the same time", async () => {
      await world.enter(
        ...Array.from({ length: 300 }, (_, each) => ({ player: `p${each % 50}`, score: each, storedAt: DAY + each })),
      );
      await Promise.all([count({ page: 20 }), count({ page: 30 }), count({ page: 50 })]);
      await count();
      const { rows } = await ranking("all");
      assert.equal(rows.length, 50);
      assert.ok(rows.every(({ entries, rank }, place) => entries === 6 && rank === place + 1));
    });

    if (name === "MariaDB") {
      it("wait for an entry that has its time and is not to be seen yet", async () => {
        const stalled = await world.database.begin();
        await stalled.query("SELECT phase FROM tournaments WHERE id = 'open' LOCK IN SHARE MODE");
        await world.enterBy(stalled, [{ player: "ada", score: 1, storedAt: DAY }]);
        await world.enter({ player: "bob", score: 2, storedAt: DAY + 1 });
        const counting = count();
        const waiting =
          "SELECT 1 FROM information_schema.processlist WHERE info LIKE 'SELECT id FROM tournaments%FOR UPDATE'";
        // By the stalled transaction itself, which MariaDB would end were it idle.
        const isWaiting = async () => (await stalled.query(waiting))[0];
        await until(isWaiting, { timeoutMs: DEADLINE_MS, what: "the run waits for the entry" });
        await stalled.commit();
        await counting;
        assert.equal((await ranking("all")).total, 2);
      });
    }

    it("know who leads, also by what they have not counted yet", async () => {
      const leader = async () => (await leadersOf(world.database, [keyOf("daily")]))[0]?.playerId;
      assert.equal(await leader(), undefined);
      await world.enter({ player: "ada", score: 5, storedAt: DAY + 1 });
      assert.equal(await leader(), "ada");
      await count();
      assert.equal(await leader(), "ada");
      await world.enter({ player: "bob", score: 5, storedAt: world.now });
      assert.equal(await leader(), "ada");
      await world.enter({ player: "bob", score: 6, storedAt: world.now });
      assert.equal(await leader(), "bob");
    });

    it("go on where a run that was given up has stopped", async () => {
      await world.enter(
        ...Array.from({ length: 100 }, (_, each) => ({ player: `p${each}`, score: each, storedAt: DAY + each })),
      );
      const abort = new AbortController();
      const onProgress = (state: unknown) => {
        if ((state as RankingsCounted).pages === 3) abort.abort(new Error("given up"));
      };
      await assert.rejects(count({ page: 10, signal: abort.signal, onProgress }), /given up/);
      assert.deepEqual(await shown("all"), []);
      assert.equal((await count({ page: 10 })).pages, 7);
      assert.equal((await ranking("all")).total, 100);
    });

    it("are what counting everything anew gives, whatever is entered and cancelled between runs", async function () {
      this.timeout(120_000);
      console.log(`      seed ${SEED} (replay: SEED=${SEED})`);
      const entry = fc.record({
        player: fc.constantFrom("a", "b", "c", "d", "e"),
        score: fc.constantFrom(0, 1, 1, 2, 3.5, -2, 1e9),
        minutes: fc.integer({ min: 0, max: 60 }),
        tournament: fc.constantFrom("t1", "t2", "t3"),
      });
      const step = fc.record({
        entries: fc.array(entry, { maxLength: 12 }),
        cancel: fc.option(fc.constantFrom("t1", "t2"), { freq: 6, nil: undefined }),
        hours: fc.integer({ min: 1, max: 30 }),
        page: fc.constantFrom(1, 3, 1000),
      });
      const zones = fc.constantFrom("UTC", "Europe/Berlin", "America/New_York");
      await fc.assert(
        fc.asyncProperty(zones, fc.array(step, { minLength: 1, maxLength: 6 }), async (zone, steps) => {
          await world.clear();
          world.timezone = zone;
          world.now = at("2026-10-23T12:00:00Z");
          for (const id of ["t1", "t2", "t3"]) await world.tournament(id);
          const cancelled = new Set<string>();
          const entered: AnEntry[] = [];
          for (const { entries, cancel, hours, page } of steps) {
            const made = entries
              .filter(({ tournament }) => !cancelled.has(tournament))
              .map(({ minutes, ...rest }) => ({ ...rest, storedAt: world.now + minutes * 60_000 }));
            await world.enter(...made);
            entered.push(...made);
            world.now += hours * HOUR_MS + 2 * SETTLED_MS;
            if (cancel && !cancelled.has(cancel)) {
              cancelled.add(cancel);
              await world.cancel(cancel);
            }
            await count({ page });
          }
          const counted = entered.filter(({ tournament }) => !cancelled.has(tournament!));
          for (const period of RANKING_PERIODS) {
            for (let moment = at("2026-10-23T00:00:00Z"); moment < world.now + DAY_MS; moment += DAY_MS / 2) {
              const key = keyOf(period, moment);
              assert.deepEqual(
                await shown(period, moment),
                naive(counted, key),
                `${period} ${new Date(moment).toISOString()}`,
              );
            }
          }
        }),
        { seed: SEED, numRuns: name === "SQLite" ? 60 : 25 },
      );
    });
  });
}

/** The same, from all entries (in the order in which they came) at once. */
function naive(entries: readonly AnEntry[], { startsAt, endsAt }: RankingKey): unknown[] {
  const inTime = entries
    .map((entry, seq) => ({ ...entry, seq }))
    .filter(({ storedAt }) => storedAt >= startsAt && storedAt < endsAt)
    .sort((a, b) => b.score - a.score || a.storedAt - b.storedAt || a.seq - b.seq);
  const players = [...Map.groupBy(inTime, ({ player }) => player)];
  return players.map(([player, own], place) => [place + 1, player, own[0]!.score, own.length]);
}
