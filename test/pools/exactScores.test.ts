import assert from "node:assert/strict";
import { RankingQueries } from "../../src/actors/pools/RankingQueries.ts";
import { type Game, gameById, games, insertGame } from "../../src/entities/tournaments/Game.ts";
import { dailyPoolsJob } from "../../src/schedulers/pools/dailyPoolsJob.ts";
import { rankingsJob } from "../../src/schedulers/pools/rankingsJob.ts";
import { SETTLED_MS } from "../../src/schedulers/pools/settled.ts";
import { runJob } from "../support/runJob.ts";
import { type AnEntry, at, DATABASES, type PoolWorld, useWorld } from "./poolWorld.ts";

const DAY = at("2026-11-21T00:00:00Z");
const MIDNIGHT = at("2026-11-22T00:00:00Z");
/** Players whom the job places in one statement. */
const BATCH = 2000;

/** Read as mysql2 reads a column of DOUBLE, all digits as a whole number and that divided, the first is too low and the second too high. */
const SCORES = [96.51819928812769, 96.76081796595071] as const;

for (const [name, open] of Object.entries(DATABASES)) {
  describe(`scores of all the digits that a number has (${name})`, () => {
    let world: PoolWorld;
    useWorld(open, (made) => {
      world = made;
    });
    beforeEach(async () => {
      world.now = DAY + 43_200_000;
    });

    for (const score of SCORES) {
      const rankings = () => new RankingQueries({ ...world.ports });
      const rankFrom = async (offset: number) =>
        rankings().page("snake", "all", { limit: 10, offset, around: undefined });

      it(`give every player a place of their own, also those who share ${score} with the last of a batch`, async () => {
        const players: AnEntry[] = Array.from({ length: BATCH + 6 }, (_, nth) => ({
          player: `p${String(nth).padStart(4, "0")}`,
          score: nth < BATCH - 1 ? 10_000 - nth : nth < BATCH + 3 ? score : 50 - nth / BATCH,
          storedAt: DAY + nth,
        }));
        for (let from = 0; from < players.length; from += 500) await world.enter(...players.slice(from, from + 500));
        await runJob(rankingsJob(world.ports));
        const { total, rows } = await rankFrom(BATCH - 4);
        assert.equal(total, players.length);
        assert.deepEqual(
          rows.map(({ rank, playerId }) => [rank, playerId]),
          players.map(({ player }, nth) => [nth + 1, player]).slice(BATCH - 4),
        );
      });

      it(`are in rankings as they were submitted: ${score}`, async () => {
        await world.enter({ player: "ada", score, storedAt: DAY }, { player: "bob", score: 9.5, storedAt: DAY });
        await runJob(rankingsJob(world.ports));
        assert.deepEqual(
          (await rankFrom(0)).rows.map((row) => row.score),
          [score, 9.5],
        );
      });

      it(`are those of the one who leads a pool, and then of its winner: ${score}`, async () => {
        await world.enter({ player: "ada", score, storedAt: DAY }, { player: "bob", score: 9.5, storedAt: DAY });
        const pool = { game: "snake", period: "daily" } as const;
        const leading = (await world.operations.open()).find(
          ({ game, period }) => game === "snake" && period === "daily",
        );
        assert.equal(leading?.leader?.score, score);
        world.now = MIDNIGHT + SETTLED_MS;
        await runJob(dailyPoolsJob(world.ports));
        const [finalised] = await world.operations.finalised(pool, 1);
        assert.equal(finalised?.winner?.score, score);
        const stored = "SELECT COUNT(*) AS pools FROM pools WHERE score = ?";
        const [found] = await world.database.query<{ pools: unknown }>(stored, [score]);
        assert.equal(Number(found!.pools), 1);
      });
    }

    it("are shown as the decimals of their game's precision, in rankings and of those who lead and win pools", async () => {
      const golf: Game = {
        id: "golf",
        name: "Golf",
        precision: 2,
        order: "desc",
        runs: "optional",
        minScore: -1,
        maxScore: 1,
        submissionsPerMinute: 1,
      };
      await insertGame(world.database, golf, world.now);
      try {
        await world.tournament("cup", "open", "golf");
        const entry = { game: "golf", tournament: "cup", storedAt: DAY };
        await world.enter({ ...entry, player: "ada", score: 30 }, { ...entry, player: "bob", score: -7 });
        await runJob(rankingsJob(world.ports));
        const rankings = new RankingQueries({ ...world.ports });
        const { rows } = await rankings.page("golf", "all", { limit: 10, offset: 0, around: undefined });
        assert.deepEqual(
          rows.map(({ score }) => score),
          [0.3, -0.07],
        );
        const open = await world.operations.open();
        const leading = open.find(({ game, period }) => game === "golf" && period === "daily");
        assert.deepEqual(leading?.leader, { playerId: "ada", name: "ada", score: 0.3 });
        world.now = MIDNIGHT + SETTLED_MS;
        await runJob(dailyPoolsJob(world.ports));
        const [finalised] = await world.operations.finalised({ game: "golf", period: "daily" }, 1);
        assert.deepEqual(finalised?.winner, { playerId: "ada", name: "ada", wallet: null, score: 0.3 });
      } finally {
        await world.database.write("DELETE FROM games WHERE id = 'golf'");
      }
    });

    it("bound a game exactly", async () => {
      const game: Game = {
        id: "golf",
        name: "Golf",
        precision: 6,
        order: "desc",
        runs: "optional",
        minScore: SCORES[0],
        maxScore: SCORES[1],
        submissionsPerMinute: 1,
      };
      await insertGame(world.database, game, world.now);
      try {
        assert.deepEqual(await gameById(world.database, "golf"), game);
        assert.deepEqual(
          (await games(world.database)).find(({ id }) => id === "golf"),
          game,
        );
      } finally {
        await world.database.write("DELETE FROM games WHERE id = 'golf'");
      }
    });
  });
}
