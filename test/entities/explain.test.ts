import assert from "node:assert/strict";
import { DrawOffice } from "../../src/actors/pools/DrawOffice.ts";
import { PoolOffice } from "../../src/actors/pools/PoolOffice.ts";
import { periodAt } from "../../src/actors/pools/periods.ts";
import { RankingOffice } from "../../src/actors/pools/RankingOffice.ts";
import { systemRng } from "../../src/clock.ts";
import { openDatabase } from "../../src/entities/database.ts";
import { databaseTime } from "../../src/entities/databaseTime.ts";
import { Hunts } from "../../src/entities/hunts/Hunt.ts";
import { contributionOf, itemsOf, leftBehind } from "../../src/entities/pools/Pool.ts";
import { ALL_TIME } from "../../src/entities/pools/Ranking.ts";
import { rank } from "../../src/entities/pools/rankingBook.ts";
import { countViews, openWindow } from "../../src/entities/popups/Popup.ts";
import { PrizeLedger } from "../../src/entities/prizes/PrizeLedger.ts";
import { Quests } from "../../src/entities/quests/Quest.ts";
import {
  dueProgress,
  pastOf,
  progressOf,
  soonestDue,
  standingOf,
  waitingOf,
} from "../../src/entities/quests/QuestProgress.ts";
import type { Database, Sql, Transaction } from "../../src/entities/sql.ts";
import { Tournaments } from "../../src/entities/tournaments/Tournament.ts";
import { rowsRead } from "../support/rowsRead.ts";
import { freshDatabaseUrl } from "../support/servers.ts";

/** Rows of each table that grows. */
const ROWS = 100_000;
/** As many rows may be read through or sorted: those of a page. */
const PAGE = 1000;
/** What one thing that is asked may read, all its statements together. */
const MOST_READ = 5 * PAGE;

interface Plan {
  table: string | null;
  type: string | null;
  rows: unknown;
  Extra: string | null;
}

/** What is wrong with a statement's plan: a table that is read through, or more than a page that is sorted. */
function faultsOf(plan: readonly Plan[]): string[] {
  return plan
    .filter(({ rows }) => Number(rows) > PAGE)
    .filter(({ type, Extra }) => type === "ALL" || type === "index" || /filesort/.test(Extra ?? ""))
    .map(({ table, type, rows, Extra }) => `${table}: ${type}, ${rows} rows, ${Extra}`);
}

describe("the statements that players and strangers cause (MariaDB, 100,000 rows)", function () {
  this.timeout(180_000);
  let database: Database;
  let now: number;

  before(async () => {
    database = await openDatabase({ kind: "mysql", url: await freshDatabaseUrl(), pool: 8 });
    now = await databaseTime(database);
    await load();
  });
  after(() => database?.close());

  async function load(): Promise<void> {
    const day = periodAt("daily", "UTC", now);
    const each = `FROM seq_1_to_${ROWS}`;
    const over = ROWS / 2;
    const phase = (last: string): string => `IF(seq > ${over}, 'scheduled', '${last}')`;
    for (const statement of [
      `INSERT INTO hunts (id, name, phase, starts_at, phase_ends_at, ends_at, ledger_epoch, definition, created_by, created_at, updated_at)
       SELECT CONCAT('h', seq), 'n', ${phase("finished")}, seq, 0, seq, 0, '{}', 'op', 0, 0 ${each}`,
      `INSERT INTO tournaments (id, name, game, phase, starts_at, ends_at, phase_ends_at, over_at, board_epoch, definition,
         prizes_distributed, created_by, created_at, updated_at)
       SELECT CONCAT('t', seq), 'T', 'snake', ${phase("settled")}, seq, seq, 0, IF(seq > ${over}, 0, seq), 1, '{}', 1, 'op', 0, 0 ${each}`,
      // All but the last hundred are of earlier days.
      `INSERT INTO score_entries (tournament_id, player_id, entry_no, submission_id, player_name, game, score, subscore, best,
         best_subscore, seq, reached_seq, told_rank, stored_at)
       SELECT CONCAT('t', seq), CONCAT('p', seq), 1, 's', 'n', 'snake', seq % 9973, 0, 0, 0, seq, seq, 1,
         IF(seq > ${ROWS - 100}, ${now - 1000}, ${day.startsAt} - seq * 60000) ${each}`,
      `INSERT INTO rankings (game, period, starts_at, player_id, player_name, score, reached_at, reached_seq, entries)
       SELECT 'snake', 'all', 0, CONCAT('p', seq), 'n', seq % 9973, seq, seq, 1 ${each}`,
      // In this one everybody has the same score, so that all depends on who had it first.
      `INSERT INTO rankings (game, period, starts_at, player_id, player_name, score, reached_at, reached_seq, entries)
       SELECT 'tetris', 'all', 0, CONCAT('p', seq), 'n', 40, seq DIV 7, seq, 1 ${each}`,
      `INSERT INTO ranking_periods (game, period, starts_at, ends_at, changes, ranked_changes, players)
       VALUES ('snake', 'all', 0, ${ALL_TIME.endsAt}, 1, 0, 0), ('tetris', 'all', 0, ${ALL_TIME.endsAt}, 1, 0, 0)`,
      `INSERT INTO pools (game, period, starts_at, ends_at, finalised_at)
       SELECT 'snake', 'daily', ${day.startsAt} - seq * 86400000, ${day.startsAt} - (seq - 1) * 86400000, 1 FROM seq_1_to_20000`,
      `INSERT INTO pool_contributions (game, period, contribution_id, starts_at, item, amount, contributed_by, contributed_at)
       SELECT 'snake', 'daily', CONCAT('c', seq), ${day.startsAt} - (seq % 20000) * 86400000, 'TICO', 1, 'op', 0 ${each}`,
      `INSERT INTO draws (week_starts_at, week_ends_at, drawn_at, seed, candidates, candidates_hash)
       SELECT seq * 604800000, (seq + 1) * 604800000, 1, '', 0, '' FROM seq_1_to_20000`,
      `INSERT INTO draw_candidates (week_starts_at, position, player_id) SELECT 604800000, seq, CONCAT('p', seq) ${each}`,
      `INSERT INTO quests (id, title, terms, created_by, created_at, retired_at)
       SELECT CONCAT('q', seq), 't', '{"condition":{"check":"walletConnected","args":{}},"delayMs":0,"rewards":[],"repeatable":false}',
         'op', seq, IF(seq % 20 = 0, NULL, 1) FROM seq_1_to_2000`,
      `INSERT INTO quest_progress (player_id, quest_id, round, part, started_at, due_at)
       SELECT CONCAT('p', seq), 'q1', 1, '0', 1, IF(seq % 2 = 0, seq, NULL) ${each}`,
      `INSERT INTO quest_changes (player_id, quest_id, round, state, at, node) SELECT 'p1', 'q1', seq, 'lapsed', seq, 'n' ${each}`,
      `INSERT INTO quest_rounds (player_id, quest_id, rounds, completions, ended_round, ended_state, ended_at)
       SELECT CONCAT('p', seq), 'q1', 9, 0, 9, 'lapsed', 1 ${each}`,
      `INSERT INTO popup_windows (id, content_id, title, body, opened_at, closes_at, closed_at, views)
       SELECT CONCAT('w', seq), 'c', 't', 'b', seq, seq, IF(seq = ${ROWS}, NULL, seq), 0 ${each}`,
      `INSERT INTO popup_views (window_id, player_id, viewed_at) SELECT 'w1', CONCAT('p', seq), 1 ${each}`,
      `INSERT INTO awards (source, source_id, player_id, item, amount, batch, awarded_at)
       SELECT 'hunt', CONCAT('h', seq), 'p1', 'TICO', 1, 'b', 1 ${each}`,
      `INSERT INTO inventories (player_id, item, amount) SELECT CONCAT('p', seq), 'TICO', 1 ${each}`,
      `INSERT INTO refused_awards (source, source_id, player_id, item, amount, refused_at)
       SELECT 'hunt', CONCAT('r', seq), 'p1', 'TICO', 1, seq ${each}`,
    ])
      await database.write(statement);
    for (const game of ["snake", "tetris"])
      await rank(database, { game, period: "all", ...ALL_TIME }, now, new AbortController().signal);
    const tables = await database.query<{ name: string }>(
      "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()",
    );
    for (const { name } of tables) await database.query(`ANALYZE TABLE ${name}`);
  }

  const clock = { now: () => now };
  const common = { clock, rng: systemRng, timezone: "UTC" };
  const daily = { game: "snake", period: "daily" } as const;
  const player = { playerId: "p1", questId: "q1" };
  const page =
    (part: object, game = "snake") =>
    (within: Database) =>
      new RankingOffice({ ...common, database: within }).page(game, "all", {
        ...{ limit: 100, offset: 0, around: undefined },
        ...part,
      });

  const asked: Record<string, (within: Database) => Promise<unknown>> = {
    "the list of hunts": (within) => new Hunts(within).list(),
    "the hunts of the lobby's board": (within) => new Hunts(within).board(200),
    "the list of tournaments": (within) => new Tournaments(within).list(),
    "the tournaments of the lobby's board": (within) => new Tournaments(within).board(200),
    "the pools that are open": (within) => new PoolOffice({ ...common, database: within }).open(),
    "the pools that are over": (within) => new PoolOffice({ ...common, database: within }).finalised(daily, 100),
    "what is in a pool": (within) => itemsOf(within, { ...daily, startsAt: periodAt("daily", "UTC", now).startsAt }),
    "a contribution": (within) => contributionOf(within, daily, "c5"),
    "the pools that were left behind": (within) => leftBehind(within, daily, now, 10),
    "the top of a ranking": page({}),
    "the end of a ranking": page({ offset: ROWS - 100 }),
    "the rows around a player of a ranking": page({ around: "p777" }),
    "the middle of a ranking in which all have the same score": page({ offset: ROWS / 2 }, "tetris"),
    "the end of a ranking in which all have the same score": page({ offset: ROWS - 100 }, "tetris"),
    "the rows around a player of a ranking in which all have the same score": page({ around: "p77777" }, "tetris"),
    "the list of draws": (within) => new DrawOffice(within).list(100),
    "a draw and its candidates": (within) => new DrawOffice(within).get(604_800_000, { limit: 1000, offset: 50_000 }),
    "the list of quests": (within) => new Quests(within).list(),
    "how a player's quests stand": (within) => standingOf(within, "p1"),
    "what a quest's rounds came to": (within) => pastOf(within, [player]),
    "the rounds that are under way": (within) => progressOf(within, [player]),
    "a player's rounds that wait": (within) => waitingOf(within, "p1"),
    "the rounds that are due": (within) => dueProgress(within, "0", 500, 250),
    "when the next round is due": (within) => soonestDue(within, "0"),
    "the popup window that is open": (within) => openWindow(within, now),
    "a view of a popup window": (within) => countViews(within as unknown as Transaction, `w${ROWS}`, ["p1"], now),
    "a player's inventory": (within) => new PrizeLedger(within, systemRng).inventory("p1"),
    "the awards that were refused": (within) => new PrizeLedger(within, systemRng).refused(100),
  };

  for (const [what, work] of Object.entries(asked))
    it(`read a page and no history for ${what}`, async () => {
      const statements: Array<[string, readonly unknown[]]> = [];
      const read = await rowsRead(database, (within) => {
        const query: Sql["query"] = (sql, params = []) => {
          statements.push([sql, params]);
          return within.query(sql, params);
        };
        return work({ ...within, query });
      });
      assert.ok(statements.length > 0);
      for (const [sql, params] of statements) {
        const faults = faultsOf(await database.query<Plan>(`EXPLAIN ${sql}`, params));
        assert.deepEqual(faults, [], sql);
      }
      assert.ok(read <= MOST_READ, `${read} rows`);
    });

  it("are found out by this when they read a table through, sort more than a page or join history", async () => {
    const plan = (sql: string) => database.query<Plan>(`EXPLAIN ${sql}`);
    for (const sql of [
      "SELECT name FROM hunts WHERE name = 'x'",
      "SELECT id FROM hunts WHERE phase = 'scheduled' ORDER BY name LIMIT 10",
    ])
      assert.notDeepEqual(faultsOf(await plan(sql)), [], sql);
    const joined = "SELECT COUNT(*) FROM score_entries e JOIN tournaments t ON t.id = e.tournament_id WHERE e.seq > 0";
    assert.ok((await rowsRead(database, (within) => within.query(joined))) > MOST_READ);
  });
});
