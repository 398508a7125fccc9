import { periodAt } from "../../src/actors/pools/periods.ts";
import { databaseTime } from "../../src/entities/databaseTime.ts";
import { ALL_TIME } from "../../src/entities/pools/Ranking.ts";
import { rank } from "../../src/entities/pools/rankingBook.ts";
import type { Database } from "../../src/entities/sql.ts";
import { openDatabase } from "../support/database.ts";
import { migratedDatabaseUrl } from "../support/migratedDatabase.ts";
import { afterRun } from "../support/run.ts";

/** Rows of each table that grows. */
export const ROWS = 100_000;
/** As many rows may be read through or sorted: those of a page. */
export const PAGE = 1000;
export interface Plan {
  table: string | null;
  type: string | null;
  rows: unknown;
  Extra: string | null;
}

/** What is wrong with a statement's plan: a table that is read through, or more than a page that is sorted. */
export function faultsOf(plan: readonly Plan[]): string[] {
  return plan
    .filter(({ table, rows }) => Number(rows) > (isDerived(table) ? 2 * PAGE : PAGE))
    .filter(({ type, Extra }) => type === "ALL" || type === "index" || /filesort/.test(Extra ?? ""))
    .map(({ table, type, rows, Extra }) => `${table}: ${type}, ${rows} rows, ${Extra}`);
}

/** What a subquery has found: a page, of which the database knows no more than how much that reads at most. */
const isDerived = (table: string | null): boolean => table?.startsWith("<derived") === true;

/** A database whose tables are filled, of which the files of a run share one. `now` is its time. */
export interface Filled {
  url: string;
  database: Database;
  now: number;
}

let filled: Promise<Filled> | undefined;

export function filledDatabase(): Promise<Filled> {
  filled ??= fill();
  return filled;
}

afterRun(async () => (await filled?.catch(() => undefined))?.database.close());

async function fill(): Promise<Filled> {
  const url = await migratedDatabaseUrl();
  const database = await openDatabase({ kind: "mysql", url, pool: 8 });
  const now = await databaseTime(database);
  await fillTables(database, now);
  return { url, database, now };
}

/** Fills every table that grows, and has MariaDB count what is in them. `now` is its time. */
async function fillTables(database: Database, now: number): Promise<void> {
  const week = periodAt("weekly", "UTC", now);
  const each = `FROM seq_1_to_${ROWS}`;
  const over = ROWS / 2;
  const phase = (last: string): string => `IF(seq > ${over}, 'scheduled', '${last}')`;
  for (const statement of [
    `INSERT INTO hunts (id, name, phase, starts_at, phase_ends_at, ends_at, ledger_epoch, definition, created_by, created_at, updated_at)
     SELECT CONCAT('h', seq), 'n', ${phase("finished")}, seq, 0, seq, 0, '{"clues":[],"repeat":1}', 'op', 0, 0 ${each}`,
    `INSERT INTO tournaments (id, name, game, phase, starts_at, ends_at, phase_ends_at, over_at, board_epoch, definition,
       prizes_distributed, created_by, created_at, updated_at)
     SELECT CONCAT('t', seq), 'T', 'snake', ${phase("settled")}, seq, seq, 0, IF(seq > ${over}, 0, seq), 1, '{"order":"desc","operator":"best","prizes":[]}', 1, 'op', 0, 0 ${each}`,
    // All but the last hundred are of earlier weeks: what a pool that is open counts does not depend on the day.
    `INSERT INTO score_entries (tournament_id, player_id, entry_no, submission_id, player_name, game, score, subscore, best,
       best_subscore, seq, reached_seq, told_rank, stored_at)
     SELECT CONCAT('t', seq), CONCAT('p', seq), 1, 's', 'n', 'snake', seq % 9973, 0, 0, 0, seq, seq, 1,
       IF(seq > ${ROWS - 100}, ${now - 1000}, ${week.startsAt} - seq * 60000) ${each}`,
    `INSERT INTO rankings (game, period, starts_at, player_id, player_name, score, reached_at, reached_seq, entries)
     SELECT 'snake', 'all', 0, CONCAT('p', seq), 'n', seq % 9973, seq, seq, 1 ${each}`,
    // In this one everybody has the same score, so that all depends on who had it first.
    `INSERT INTO rankings (game, period, starts_at, player_id, player_name, score, reached_at, reached_seq, entries)
     SELECT 'tetris', 'all', 0, CONCAT('p', seq), 'n', 40, seq DIV 7, seq, 1 ${each}`,
    `INSERT INTO ranking_periods (game, period, starts_at, ends_at, changes, ranked_changes, players)
     VALUES ('snake', 'all', 0, ${ALL_TIME.endsAt}, 1, 0, 0), ('tetris', 'all', 0, ${ALL_TIME.endsAt}, 1, 0, 0)`,
    `INSERT INTO pools (game, period, starts_at, ends_at, finalised_at)
     SELECT 'snake', 'daily', ${week.startsAt} - seq * 86400000, ${week.startsAt} - (seq - 1) * 86400000, 1 FROM seq_1_to_20000`,
    `INSERT INTO pool_contributions (game, period, contribution_id, starts_at, item, amount, contributed_by, contributed_at)
     SELECT 'snake', 'daily', CONCAT('c', seq), ${week.startsAt} - (seq % 20000) * 86400000, 'TICO', 1, 'op', 0 ${each}`,
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
    `INSERT INTO players (id, name, created_at) SELECT CONCAT('p', seq), 'n', 1 ${each}`,
    `INSERT INTO player_sessions (player_id, started_at, seen_at, ended_at, end_reason) SELECT 'p1', seq, seq, seq, 'left' ${each}`,
    `INSERT INTO hunt_assignments (hunt_id, instance, generation, player_id, player_name, opened_at, expires_at, attempts_used, outcome,
         closed_at, points, solve_seq) SELECT CONCAT('h', seq DIV 100), seq, 1, CONCAT('p', seq), 'n', 1, 2, 1, 1, 2, 10, seq ${each}`,
    `INSERT INTO hunt_scores (hunt_id, player_id, name, points, solved, reached) SELECT 'h1', CONCAT('p', seq), 'n', 10, 1, seq ${each}`,
    `INSERT INTO hunt_results (player_id, hunt_id, points, solved, place) SELECT CONCAT('p', seq), 'h1', 10, 1, seq ${each}`,
    `INSERT INTO refused_awards (source, source_id, player_id, item, amount, refused_at)
     SELECT 'hunt', CONCAT('r', seq), 'p1', 'TICO', 1, seq ${each}`,
    `INSERT INTO audit (id, at, operator_id, operator, role, command, subject, args, node, via, request_id, outcome, error)
     SELECT CONCAT('a', seq), ${now} - seq, CONCAT('op', seq % 5), 'Op', 'operator', IF(seq % 7 = 0, 'pauseHunt', 'startHunt'),
       CONCAT('hunt:h', seq % 1000), '{"reason":"r"}', 'n', 'room', NULL, IF(seq % 100 = 0, 'refused', 'done'), NULL ${each}`,
    `INSERT INTO event_changes (domain, event_id, changed_at, id, kind, operator_id, reason)
     SELECT 'hunts', CONCAT('h', seq % 1000), ${now} - seq, CONCAT('e', seq), 'pause', 'op', 'r' ${each}`,
  ])
    await database.write(statement);
  for (const game of ["snake", "tetris"])
    await rank(database, { game, period: "all", ...ALL_TIME }, now, new AbortController().signal);
  const tables = await database.query<{ name: string }>(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()",
  );
  for (const { name } of tables) await database.query(`ANALYZE TABLE ${name}`);
}
