import assert from "node:assert/strict";
import fc from "fast-check";
import { PoolQueries } from "../../src/actors/pools/PoolQueries.ts";
import { systemRng } from "../../src/clock.ts";
import type { GameTime } from "../../src/entities/pools/entries.ts";
import { disjoint, leadersOf } from "../../src/entities/pools/leaders.ts";
import type { Sql } from "../../src/entities/sql.ts";
import { rankingsJob } from "../../src/schedulers/pools/rankingsJob.ts";
import { rowsRead } from "../support/rowsRead.ts";
import { runJob } from "../support/runJob.ts";
import { at, DATABASES, type PoolWorld, useWorld } from "./poolWorld.ts";

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const DAY_MS = 86_400_000;
const DAY = at("2026-11-21T00:00:00Z");
const WEEK = at("2026-11-16T00:00:00Z");
const TODAY = { game: "snake", period: "daily", startsAt: DAY, endsAt: DAY + DAY_MS } as const;
const THIS_WEEK = { game: "snake", period: "weekly", startsAt: WEEK, endsAt: WEEK + 7 * DAY_MS } as const;

for (const [name, open] of Object.entries(DATABASES)) {
  describe(`reading the pools that are open (${name})`, () => {
    let world: PoolWorld;
    useWorld(open, (made) => {
      world = made;
    });
    beforeEach(async () => {
      world.now = DAY + DAY_MS / 2;
    });

    /** An operations of its own, whose every query is noted, and waits for the gate. */
    function watched(gate: () => Promise<void> = async () => {}) {
      const queries: string[] = [];
      const { clock, timezone } = world;
      const database = world.showing(() => world.now);
      const query: Sql["query"] = async (sql, params) => {
        queries.push(sql);
        await gate();
        return database.query(sql, params);
      };
      return {
        queries,
        operations: new PoolQueries({ database: { ...database, query }, clock, timezone, rng: systemRng }),
      };
    }
    const readings = (queries: readonly string[]): number =>
      queries.filter((sql) => sql.includes("FROM games ORDER BY")).length;

    it("takes one query of each kind for all games together, and one for the time", async () => {
      const { queries, operations } = watched();
      assert.equal((await operations.open()).length, 10);
      assert.equal(queries.length, 7);
    });

    it("is done once for all who ask, also when it is slow", async () => {
      const gate = Promise.withResolvers<void>();
      const { queries, operations } = watched(() => gate.promise);
      const asked = [];
      for (let times = 0; times < 10; times++) {
        asked.push(operations.open());
        await new Promise((resolve) => setImmediate(resolve));
        world.now += 60_000;
      }
      gate.resolve();
      const answers = await Promise.all(asked);
      assert.ok(answers.every((pools) => pools === answers[0]));
      assert.equal(await operations.open(), answers[0]);
      assert.equal(readings(queries), 1);
    });

    it("shows what has been contributed while it was under way to who asks then", async () => {
      let gate: Promise<void> | undefined;
      const { operations } = watched(async () => gate);
      const slow = Promise.withResolvers<void>();
      gate = slow.promise;
      const early = operations.open();
      await new Promise((resolve) => setImmediate(resolve));
      gate = undefined;
      await operations.contribute(TODAY, { item: "TICO", amount: "5" }, { operatorId: "op", requestId: undefined });
      const late = operations.open();
      slow.resolve();
      await early;
      const pool = (await late).find(({ game, period }) => game === "snake" && period === "daily");
      assert.deepEqual(pool!.items, [{ item: "TICO", amount: "5" }]);
    });

    it("finds the leaders of each game and period, whichever part of its time is counted", async () => {
      await world.tournament("ponging", "open", "pong");
      await world.enter(
        { player: "old", score: 9, storedAt: WEEK },
        { player: "ada", score: 5, storedAt: DAY },
        { player: "bob", score: 5, storedAt: DAY + 1 },
        { player: "pro", score: 99, storedAt: DAY + 1, game: "pong", tournament: "ponging" },
      );
      const pong = { ...TODAY, game: "pong" };
      const tetris = { ...TODAY, game: "tetris" };
      const leaders = await leadersOf(world.database, [TODAY, pong, tetris, THIS_WEEK]);
      assert.deepEqual(
        leaders.map((leader) => leader?.playerId),
        ["ada", "pro", undefined, "old"],
      );
      assert.deepEqual(await leadersOf(world.database, []), []);
    });

    for (const score of [96.51819928812769, 96.76081796595071]) {
      // Read as a number by mysql2, these would be others.
      it(`tells the leader's score by all its digits, also when it has been counted: ${score}`, async () => {
        await world.enter({ player: "ada", score, storedAt: DAY }, { player: "bob", score: 9.5, storedAt: DAY });
        await runJob(rankingsJob(world.ports));
        await world.enter({ player: "eve", score, storedAt: world.now });
        const [leader] = await leadersOf(world.database, [TODAY]);
        assert.deepEqual([leader?.playerId, leader?.score], ["ada", score]);
      });
    }

    it("knows more games than a statement takes", async () => {
      const rankings = Array.from({ length: 600 }, (_, each) => ({ ...TODAY, game: `game${each}` }));
      await world.enter({ game: "game599", player: "ada", score: 1, storedAt: DAY });
      const leaders = await leadersOf(world.database, rankings);
      assert.deepEqual([leaders.length, leaders[0], leaders[599]?.playerId], [600, undefined, "ada"]);
    });

    if (name === "MariaDB") {
      it("finds who leads in a ranking without reading it through", async () => {
        const rows = Array.from({ length: 2000 }, (_, each) => [
          "snake",
          "daily",
          DAY,
          `p${each}`,
          "P",
          each,
          DAY,
          each,
          1,
        ]);
        await world.database.write(
          `INSERT INTO rankings (game, period, starts_at, player_id, player_name, score, reached_at, reached_seq, entries)
           VALUES ${rows.map(() => "(?, ?, ?, ?, ?, ?, ?, ?, ?)").join(", ")}`,
          rows.flat(),
        );
        await world.database.write(
          `INSERT INTO ranking_periods (game, period, starts_at, ends_at, changes, ranked_changes, players)
           VALUES ('snake', 'daily', ?, ?, 1, 1, ?)`,
          [TODAY.startsAt, TODAY.endsAt, rows.length],
        );
        await world.database.query("ANALYZE TABLE rankings");
        assert.equal((await leadersOf(world.database, [TODAY]))[0]?.playerId, "p1999");
        const read = await rowsRead(world.database, (within) => leadersOf(within, [TODAY, THIS_WEEK]));
        assert.ok(read < 100, `${read} rows`);
      });

      it("reads what has not been counted once for the day and the week", async () => {
        const entries = Array.from({ length: 1000 }, (_, each) => ({
          ...{ player: `p${each}`, score: each, storedAt: DAY + each },
        }));
        await world.enter(...entries);
        await world.database.query("ANALYZE TABLE score_entries");
        const day = await rowsRead(world.database, (within) => leadersOf(within, [TODAY]));
        const both = await rowsRead(world.database, (within) => leadersOf(within, [TODAY, THIS_WEEK]));
        assert.ok(day >= entries.length, `${day} rows`);
        assert.ok(both < day + 100, `${both} rows for both, ${day} for the day`);
      });
    }
  });
}

describe("times that overlap", () => {
  it("are made of parts that do not, and cover nothing else", () => {
    console.log(`      seed ${SEED} (replay: SEED=${SEED})`);
    const moment = fc.integer({ min: 0, max: 9 });
    const time = fc.record({ game: fc.constantFrom("a", "b"), startsAt: moment, endsAt: moment });
    fc.assert(
      fc.property(fc.array(time, { maxLength: 5 }), (times) => {
        const parts = disjoint(times);
        const covering = (of: readonly GameTime[], game: string, at: number) =>
          of.filter((each) => each.game === game && each.startsAt <= at && at < each.endsAt).length;
        for (const game of ["a", "b"])
          for (let at = 0; at < 10; at++)
            assert.equal(covering(parts, game, at), Math.min(1, covering(times, game, at)), `${game} ${at}`);
      }),
      { seed: SEED },
    );
  });
});
