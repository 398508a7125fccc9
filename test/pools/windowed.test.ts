import assert from "node:assert/strict";
import { bestOf } from "../../src/entities/pools/entries.ts";
import { ALL_TIME, type RankingPart } from "../../src/entities/pools/Ranking.ts";
import { BLOCK } from "../../src/entities/pools/rankingBlocks.ts";
import { rank } from "../../src/entities/pools/rankingBook.ts";
import { rankingPage } from "../../src/entities/pools/rankingPage.ts";
import type { Transaction } from "../../src/entities/sql.ts";
import { weeklyPoolsJob } from "../../src/schedulers/pools/weeklyPoolsJob.ts";
import { rowsRead } from "../support/rowsRead.ts";
import { runJob } from "../support/runJob.ts";
import { at, DATABASES, type PoolWorld, useWorld } from "./poolWorld.ts";

const WEEK_MS = 7 * 86_400_000;
const WEEK = at("2026-11-16T00:00:00Z");
const TOURNAMENTS = 20;
/** Entries of each week, all of one tournament. */
const ENTRIES = 500;

describe("the ranks of a ranking (MariaDB)", () => {
  let world: PoolWorld;
  useWorld(DATABASES.MariaDB!, (made) => {
    world = made;
  });

  const PLAYERS = 5000;
  const ALL = { game: "snake", period: "all" as const, ...ALL_TIME };
  const page = (part: Partial<RankingPart>) =>
    rankingPage(world.database, ALL, { limit: 3, offset: 0, around: undefined, ...part });
  const ranksOf = async (part: Partial<RankingPart>) =>
    (await page(part)).rows.map(({ rank, playerId }) => [rank, playerId]);

  beforeEach(async () => {
    await world.database.write(
      `INSERT INTO rankings (game, period, starts_at, player_id, player_name, score, reached_at, reached_seq, entries)
       SELECT 'snake', 'all', 0, CONCAT('p', seq), 'n', -seq, 1, 1, 1 FROM seq_1_to_${PLAYERS}`,
    );
    await world.database.write(
      `INSERT INTO ranking_periods (game, period, starts_at, ends_at, changes, ranked_changes, players)
       VALUES ('snake', 'all', 0, ?, 1, 0, 0)`,
      [ALL_TIME.endsAt],
    );
    await world.database.query("ANALYZE TABLE rankings");
    await rank(world.database, ALL, 1, new AbortController().signal);
  });

  it("are those of everybody, at the bounds of blocks and at the end", async () => {
    assert.equal((await page({})).total, PLAYERS);
    for (const offset of [0, 998, 999, 1000, 1001, 4999])
      assert.deepEqual((await ranksOf({ offset }))[0], [offset + 1, `p${offset + 1}`]);
    assert.deepEqual(await ranksOf({ offset: 4998 }), [
      [4999, "p4999"],
      [5000, "p5000"],
    ]);
    assert.deepEqual(await ranksOf({ offset: 5000 }), []);
    for (const place of [1000, 1001, 1002, 3500])
      assert.deepEqual((await ranksOf({ around: `p${place}` }))[1], [place, `p${place}`]);
  });

  it("are all others when one moves to the top, of whom no row is written", async () => {
    await world.database.write("UPDATE rankings SET score = 1 WHERE player_id = 'p4000'");
    const written = async (): Promise<number> => {
      const [row] = await world.database.query<{ Value: string }>("SHOW GLOBAL STATUS LIKE 'Handler_update'");
      return Number(row!.Value);
    };
    const before = await written();
    await rank(world.database, ALL, 2, new AbortController().signal);
    assert.ok((await written()) - before < 100);
    assert.deepEqual(await ranksOf({}), [
      [1, "p4000"],
      [2, "p1"],
      [3, "p2"],
    ]);
    assert.deepEqual(await ranksOf({ offset: 3998, limit: 2 }), [
      [3999, "p3998"],
      [4000, "p3999"],
    ]);
  });

  it("are found by reading some blocks, wherever in the ranking", async () => {
    for (const part of [{}, { offset: 4500 }, { around: "p2500" }]) {
      const read = await rowsRead(world.database, (within) =>
        rankingPage(within, ALL, { limit: 10, offset: 0, around: undefined, ...part }),
      );
      assert.ok(read < 3.5 * BLOCK, `${read} rows for ${JSON.stringify(part)}`);
    }
  });
});

describe("the best score of a week (MariaDB)", () => {
  let world: PoolWorld;
  useWorld(DATABASES.MariaDB!, (made) => {
    world = made;
  });

  beforeEach(async () => {
    for (let week = 0; week < TOURNAMENTS; week++) {
      await world.tournament(`t${week}`, "settled");
      const storedAt = WEEK - (TOURNAMENTS - 1 - week) * WEEK_MS;
      await world.enter(
        ...Array.from({ length: ENTRIES }, (_, each) => ({
          ...{ tournament: `t${week}`, player: `p${each}`, score: (each * 7919) % 1009, storedAt: storedAt + each },
        })),
      );
    }
    for (const table of ["score_entries", "tournaments"]) await world.database.query(`ANALYZE TABLE ${table}`);
  });

  it("is found in that week, however many there were before", async () => {
    const read = await rowsRead(world.database, (within) =>
      bestOf(within, "snake", { startsAt: WEEK, endsAt: WEEK + WEEK_MS }),
    );
    assert.ok(read < 5 * ENTRIES, `${read} rows`);
  });

  it("is not looked for behind the lock of its pool, which contributions wait for", async () => {
    world.now = WEEK + WEEK_MS + 60_000;
    const behind: string[] = [];
    const watched = (tx: Transaction): Transaction =>
      new Proxy(tx, {
        get(target, key) {
          const value = Reflect.get(target, key);
          if (typeof value !== "function") return value;
          return (...args: unknown[]) => {
            if (key === "query") behind.push(String(args[0]));
            return value.apply(target, args);
          };
        },
      });
    const database = new Proxy(world.database, {
      get(target, key) {
        const value = Reflect.get(target, key);
        if (key === "transaction")
          return (work: (tx: Transaction) => Promise<unknown>) => target.transaction((tx) => work(watched(tx)));
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
    const best = await bestOf(world.database, "snake", { startsAt: WEEK, endsAt: WEEK + WEEK_MS });
    await runJob(weeklyPoolsJob({ ...world.ports, database }));
    const [pool] = await world.operations.finalised({ game: "snake", period: "weekly" }, 1);
    assert.equal(pool!.winner?.playerId, best!.playerId);
    assert.ok(behind.some((sql) => /FROM pools/.test(sql)));
    assert.deepEqual(
      behind.filter((sql) => /score_entries/.test(sql)),
      [],
    );
  });
});
