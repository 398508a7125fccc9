import { MOST_PAST } from "../../actors/pools/requests.ts";
import { PERIOD_TYPES, type PeriodType, type PoolKind } from "../../entities/pools/Pool.ts";
import type { Sql } from "../../entities/sql.ts";

const DAY_MS = 86_400_000;

/** How long players' sessions stay in the history, in days. */
export const SESSION_DAYS = 90;
/** How long the runs of jobs stay in their history, in days. Each job's last run, and the last that failed for good, stay. */
export const JOB_RUN_DAYS = 30;
/** How long the key of a task that is over stays known, in days: enqueued again by then, it is not run again. */
export const TASK_DAYS = 30;
/** How long a request id keeps its answer, in days: nobody repeats a request for longer. */
export const REQUEST_ID_DAYS = 7;
/** How long it stays known what an actor has had from another one, in days, once nothing of it is on its way. */
export const MARK_DAYS = 1;
/** How long it stays known which actors a process was in the hands of, and who is blamed for its death, in days: most are acquitted within seconds. */
export const BLAME_DAYS = 1;
/** How long a wallet's challenge stays after it ran out, in days; nobody can use it any more. */
export const CHALLENGE_DAYS = 1;
/** How long the steps of quests' rounds stay in their log, in days; what the rounds came to stays. */
export const QUEST_CHANGE_DAYS = 365;
/** How long popup windows stay, and with them who saw them, in days. */
export const POPUP_DAYS = 90;
/** How long rankings of days and weeks stay after their end, in days; those of all time stay. */
export const RANKING_DAYS: Record<PeriodType, number> = { daily: 90, weekly: 730 };
/** How long it stays known who took part in a draw, in days after its week: so long can it be verified. */
export const CANDIDATE_DAYS = 730;
/** How long it stays known what went into a pool, in days after its end; longer for those that can still be read. */
export const CONTRIBUTION_DAYS = 730;

/** The key of a row, by column. */
export type RowKey = Record<string, unknown>;

/** Rows of one kind that are of no use any more. */
export interface Purge {
  /** What the statistics call them. */
  name: string;
  table: string;
  /** Rows a run, give or take a batch, where they are more than of other kinds. */
  mostARun?: number;
  /** The keys of all of them, found by an index a batch at a time. Each batch must be deleted before the next is asked for. */
  batches(sql: Sql, now: number, signal: AbortSignal): AsyncGenerator<RowKey[], void, undefined>;
}

const LENGTH_DAYS: Record<PeriodType, number> = { daily: 1, weekly: 7 };

/** Rows a batch, which is a transaction: its locks are short, and its statement is within what SQLite parses. */
export const BATCH = 500;

/** In this order: what goes by age comes before what is orphaned by that. */
export const PURGES: readonly Purge[] = [
  byAge({
    name: "sessions",
    table: "player_sessions",
    key: ["player_id", "started_at"],
    age: "ended_at",
    days: SESSION_DAYS,
  }),
  {
    ...byAge({
      name: "jobRuns",
      table: "job_runs",
      key: ["job", "scheduled_at", "task"],
      age: "scheduled_at",
      days: JOB_RUN_DAYS,
      only: `outcome IN ('succeeded', 'dead', 'skipped') AND NOT EXISTS (SELECT 1 FROM jobs
        WHERE jobs.name = job_runs.job AND (jobs.last_scheduled_at = job_runs.scheduled_at OR jobs.last_dead_at = job_runs.scheduled_at))`,
    }),
    mostARun: 5_000_000,
  },
  {
    ...byAge({ name: "tasks", table: "tasks", key: ["job", "task_key"], age: "ended_at", days: TASK_DAYS }),
    mostARun: 5_000_000,
  },
  byAge({
    name: "requestIds",
    table: "actor_requests",
    key: ["kind", "id", "request_id"],
    age: "created_at",
    days: REQUEST_ID_DAYS,
  }),
  {
    ...byAge({
      name: "actorMarks",
      table: "actor_marks",
      // With its time: one that has changed meanwhile stays.
      key: ["kind", "id", "from_kind", "from_id", "updated_at"],
      age: "updated_at",
      days: MARK_DAYS,
      only: `gaps = '[]' AND NOT EXISTS (SELECT 1 FROM actor_tells messages
        WHERE messages.target_kind = actor_marks.kind AND messages.target_id = actor_marks.id
          AND messages.kind = actor_marks.from_kind AND messages.id = actor_marks.from_id)`,
    }),
    mostARun: 5_000_000,
  },
  byAge({
    name: "actorsInHand",
    table: "actor_in_hand",
    // With its time: one that was written anew meanwhile stays.
    key: ["node_id", "written_at"],
    age: "written_at",
    days: BLAME_DAYS,
  }),
  byAge({
    name: "actorBlame",
    table: "actor_blame",
    key: ["kind", "id", "node_id", "life"],
    age: "blamed_at",
    days: BLAME_DAYS,
  }),
  byAge({
    name: "questChanges",
    table: "quest_changes",
    key: ["player_id", "quest_id", "round", "state"],
    age: "at",
    days: QUEST_CHANGE_DAYS,
  }),
  byAge({
    name: "popupWindows",
    table: "popup_windows",
    key: ["id"],
    age: "opened_at",
    days: POPUP_DAYS,
    only: "closed_at IS NOT NULL",
  }),
  orphans({ name: "popupViews", table: "popup_views", key: ["window_id", "player_id"], parents: "popup_windows" }),
  byAge({
    name: "walletChallenges",
    table: "wallet_challenges",
    key: ["player_id"],
    age: "expires_at",
    days: CHALLENGE_DAYS,
  }),
  orphans({
    name: "huntAssignments",
    table: "hunt_assignments",
    key: ["hunt_id", "instance", "generation"],
    parents: "hunts",
  }),
  orphans({ name: "huntScores", table: "hunt_scores", key: ["hunt_id", "player_id"], parents: "hunts" }),
  orphans({
    name: "scoreEntries",
    table: "score_entries",
    key: ["tournament_id", "player_id", "entry_no"],
    parents: "tournaments",
  }),
  orphans({
    name: "tournamentEntrants",
    table: "tournament_entrants",
    key: ["tournament_id", "player_id"],
    parents: "tournaments",
    // Nobody is asked for once nothing is taken.
    of: "parents.phase IN ('scheduled', 'open', 'grace')",
  }),
  orphans({ name: "standings", table: "standings", key: ["tournament_id", "place"], parents: "tournaments" }),
  byPeriod({
    name: "rankings",
    table: "rankings",
    key: ["game", "period", "starts_at", "player_id"],
    before: async (_sql, { period }, now) => begunBy(period, RANKING_DAYS[period], now),
  }),
  byPeriod({
    name: "rankingBlocks",
    table: "ranking_blocks",
    key: ["game", "period", "starts_at", "players_before"],
    before: async (_sql, { period }, now) => begunBy(period, RANKING_DAYS[period], now),
  }),
  byPeriod({
    name: "rankingPeriods",
    table: "ranking_periods",
    key: ["game", "period", "starts_at"],
    before: async (_sql, { period }, now) => begunBy(period, RANKING_DAYS[period], now),
  }),
  byAge({
    name: "drawCandidates",
    table: "draw_candidates",
    key: ["week_starts_at", "position"],
    age: "week_starts_at",
    days: CANDIDATE_DAYS + LENGTH_DAYS.weekly,
  }),
  byPeriod({
    name: "poolContributions",
    table: "pool_contributions",
    key: ["game", "period", "contribution_id"],
    before: async (sql, kind, now) =>
      Math.min(begunBy(kind.period, CONTRIBUTION_DAYS, now), await firstThatIsShown(sql, kind)),
  }),
];

interface ByAge {
  name: string;
  table: string;
  key: readonly string[];
  /** An indexed column of epoch milliseconds. */
  age: string;
  days: number;
  /** A further condition. */
  only?: string;
}

function byAge({ name, table, key, age, days, only }: ByAge): Purge {
  const statement = `SELECT ${key.join(", ")} FROM ${table} WHERE ${age} < ? ${only === undefined ? "" : `AND ${only}`}
    ORDER BY ${age} LIMIT ${BATCH}`;
  return {
    name,
    table,
    batches: (sql, now, signal) => untilNone(signal, () => sql.query<RowKey>(statement, [now - days * DAY_MS])),
  };
}

interface Orphans {
  name: string;
  table: string;
  /** Its first column is the parent's id. */
  key: readonly string[];
  parents: string;
  /** What of its `parents` a row is kept for; any unless told. */
  of?: string;
}

/** Rows whose parent is gone, or is not one that they are kept for. Goes from parent to parent along the primary key, so that it reads one row of each that is there. */
function orphans({ name, table, key, parents, of }: Orphans): Purge {
  const parentId = key[0]!;
  const nextParent = `SELECT children.id AS id, parents.id AS known FROM
    (SELECT MIN(${parentId}) AS id FROM ${table} WHERE ${parentId} > ?) children
    LEFT JOIN ${parents} parents ON parents.id = children.id ${of === undefined ? "" : `AND ${of}`} WHERE children.id IS NOT NULL`;
  const rowsOf = `SELECT ${key.join(", ")} FROM ${table} WHERE ${parentId} = ? LIMIT ${BATCH}`;
  return {
    name,
    table,
    async *batches(sql, _now, signal) {
      for (let after = ""; ; ) {
        signal.throwIfAborted();
        const [next] = await sql.query<{ id: string; known: string | null }>(nextParent, [after]);
        if (next === undefined) return;
        after = next.id;
        if (next.known === null) yield* untilNone(signal, () => sql.query<RowKey>(rowsOf, [after]));
      }
    },
  };
}

interface ByPeriod {
  name: string;
  /** It has an index that begins with `game`, `period` and `starts_at`. */
  table: string;
  key: readonly string[];
  /** Of what began before this time, nothing is of use. */
  before(sql: Sql, kind: PoolKind, now: number): Promise<number>;
}

/** What is of a game's days or weeks of long ago. Goes from game to game, and reads nothing of those that stay. */
function byPeriod({ name, table, key, before }: ByPeriod): Purge {
  const nextGame = `SELECT MIN(game) AS game FROM ${table} WHERE game > ?`;
  const rowsOf = `SELECT ${key.join(", ")} FROM ${table} WHERE game = ? AND period = ? AND starts_at < ? LIMIT ${BATCH}`;
  return {
    name,
    table,
    async *batches(sql, now, signal) {
      for (let game = ""; ; ) {
        signal.throwIfAborted();
        const [next] = await sql.query<{ game: string | null }>(nextGame, [game]);
        if (next?.game == null) return;
        game = next.game;
        for (const period of PERIOD_TYPES) {
          const end = await before(sql, { game, period }, now);
          yield* untilNone(signal, () => sql.query<RowKey>(rowsOf, [game, period, end]));
        }
      }
    },
  };
}

/** Before which time a day or week began that has been over for so many days. */
function begunBy(period: PeriodType, days: number, now: number): number {
  return now - (days + LENGTH_DAYS[period]) * DAY_MS;
}

/** When the earliest pool began of those that can be read; 0 while all can be. What is earlier is finalised, for that happens in order. */
async function firstThatIsShown(sql: Sql, { game, period }: PoolKind): Promise<number> {
  const [row] = await sql.query<{ starts_at: unknown }>(
    `SELECT starts_at FROM pools WHERE game = ? AND period = ? AND finalised_at IS NOT NULL
     ORDER BY starts_at DESC LIMIT 1 OFFSET ${MOST_PAST - 1}`,
    [game, period],
  );
  return Number(row?.starts_at ?? 0);
}

async function* untilNone(
  signal: AbortSignal,
  find: () => Promise<RowKey[]>,
): AsyncGenerator<RowKey[], void, undefined> {
  for (;;) {
    signal.throwIfAborted();
    const keys = await find();
    if (keys.length === 0) return;
    yield keys;
  }
}

/** Deletes exactly these rows, in one statement. Answers how many there were. */
export async function deleteRows(sql: Sql, table: string, keys: readonly RowKey[]): Promise<number> {
  const columns = Object.keys(keys[0]!);
  const one = `(${columns.map((column) => `${column} = ?`).join(" AND ")})`;
  const { affected } = await sql.write(
    `DELETE FROM ${table} WHERE ${Array(keys.length).fill(one).join(" OR ")}`,
    keys.flatMap((key) => columns.map((column) => key[column])),
  );
  return affected;
}
