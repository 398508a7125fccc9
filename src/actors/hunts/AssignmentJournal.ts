import type { Clock } from "../../clock.ts";
import { databaseTimeIn } from "../../entities/databaseTime.ts";
import { GroupCommit } from "../../entities/GroupCommit.ts";
import {
  type CommitResult,
  commitOrContradict,
  failureOfStore,
  type JournalDatabase,
} from "../../entities/journaling.ts";
import type { Sql } from "../../entities/sql.ts";
import { assignmentIdOf, mergeRows } from "../../stores/hunts/assignments.ts";
import { type AssignmentRow, OUTCOME, type Outcome, type Standing } from "../../stores/hunts/ClueLedger.ts";

/** Counts of a hunt's committed rows. */
export interface AssignmentCounts {
  players: number;
  assignments: number;
  solved: number;
}

/** Rows a statement at most: some 100 kB of SQL, and 14,000 of the 32,766 parameters that SQLite takes. */
const MAX_ROWS = 1000;
/** Rows a page of `readAll`. */
const PAGE = 2000;

const COLUMNS = [
  "instance",
  "generation",
  "player_id",
  "player_name",
  "opened_at",
  "expires_at",
  "attempts_before",
  "attempts_used",
  "request_marks",
  "outcome",
  "closed_at",
  "points",
  "solve_seq",
] as const;
type Column = (typeof COLUMNS)[number];
/** What changes in the life of an assignment, each only upwards: so rows may be written again and in any order. */
const GROWING: readonly Column[] = ["attempts_used", "request_marks", "outcome", "closed_at", "points", "solve_seq"];

type StoredRow = Record<Column, unknown>;

/** By what rows were decided: the hunt, the epoch of its ledger, and how often it had been paused or resumed. */
interface DecidedBy {
  readonly id: string;
  readonly epoch: number;
  readonly pauses: number;
}

/**
 * Commits the rows that ledgers decide, those of a few milliseconds in one transaction, under the epoch that decided them.
 * A commit that rejects with `unavailable` may have happened; repeating it is safe.
 */
export class AssignmentJournal {
  readonly #database: JournalDatabase;
  readonly #reads: Pick<Sql, "query">;
  readonly #group: GroupCommit<AssignmentRow, CommitResult, DecidedBy>;

  /** Whole hunts are read through `reads`, so that no commit waits for it. */
  constructor(database: JournalDatabase, clock: Clock, reads: Pick<Sql, "query"> = database) {
    this.#database = database;
    this.#reads = reads;
    this.#group = new GroupCommit({ clock, maxItems: MAX_ROWS, flush: (by, rows) => this.#flush(by, rows) });
  }

  /**
   * Resolves once all rows are committed, or with why none of them may be: `contradicted` when another player holds one of these
   * assignments in the database, `over` when solving has ended, `paused` when the hunt was paused or resumed another number of times than
   * `pauses`, by which the rows were decided. Rejects with `overloaded` or `unavailable`.
   */
  async commit(huntId: string, epoch: number, rows: readonly AssignmentRow[], pauses = 0): Promise<CommitResult> {
    const parts: Promise<CommitResult>[] = [];
    for (let from = 0; from < rows.length; from += MAX_ROWS) {
      parts.push(this.#group.commit({ id: huntId, epoch, pauses }, rows.slice(from, from + MAX_ROWS)));
    }
    const results = await Promise.all(parts);
    return results.find((result) => result !== "committed") ?? "committed";
  }

  /** Commits what is buffered; resolves when nothing is in flight. */
  flush(): Promise<void> {
    return this.#group.flush();
  }

  /** Every committed row of the hunt, in order of instance and generation, read in pages. */
  async *readAll(huntId: string): AsyncGenerator<AssignmentRow, void, undefined> {
    let last: Pick<AssignmentRow, "instance" | "generation"> = { instance: -1, generation: 0 };
    for (;;) {
      const rows = await this.#page(huntId, last);
      yield* rows;
      if (rows.length < PAGE) return;
      last = rows.at(-1)!;
    }
  }

  async #page(huntId: string, after: Pick<AssignmentRow, "instance" | "generation">): Promise<AssignmentRow[]> {
    const page = this.#reads.query<StoredRow>(
      `SELECT ${COLUMNS.join(", ")} FROM hunt_assignments
      WHERE hunt_id = ? AND instance >= ? AND (instance > ? OR generation > ?)
      ORDER BY instance, generation LIMIT ${PAGE}`,
      [huntId, after.instance, after.instance, after.generation],
    );
    try {
      return (await page).map(rowOf);
    } catch (error) {
      throw failureOfStore(error);
    }
  }

  async #flush(by: DecidedBy, rows: readonly AssignmentRow[]): Promise<CommitResult> {
    const merged = mergedInOrder(rows);
    return commitOrContradict(this.#database, (sql) => this.#write(sql, by, merged));
  }

  async #write(sql: Sql, by: DecidedBy, rows: readonly AssignmentRow[]): Promise<CommitResult> {
    const { id: huntId, epoch, pauses } = by;
    // The share lock keeps the row as it is until the commit: whoever changes it waits for this, or this for them.
    const lock = sql.dialect === "mysql" ? "LOCK IN SHARE MODE" : "";
    const [hunt] = await sql.query<Record<"ledger_epoch" | "pauses" | "phase_ends_at" | "told", unknown>>(
      `SELECT ledger_epoch, pauses, phase_ends_at, ${databaseTimeIn(sql.dialect)} AS told FROM hunts WHERE id = ? ${lock}`,
      [huntId],
    );
    if (Number(hunt?.ledger_epoch) !== epoch) return "stale";
    if (Number(hunt!.pauses) !== pauses || pauses % 2 === 1) return "paused";
    // The actor ends solving, and so raises the epoch. It may be late: its node died, or it is in quarantine.
    if (Number(hunt!.told) >= Number(hunt!.phase_ends_at)) return "over";
    const params = rows.flatMap((row) => [huntId, ...valuesOf(row)]);
    await sql.write(upsertOf(sql.dialect, rows.length), params);
    await closeOutdated(sql, huntId, rows);
    return "committed";
  }
}

/**
 * The best `limit` players by committed points; equal points rank by who reached them first. Inside the transaction that
 * raised the hunt's epoch, this is final.
 */
export async function standings(sql: Pick<Sql, "query">, huntId: string, limit: number): Promise<Standing[]> {
  const rows = await sql.query<{ player_id: string; name: string; total: unknown }>(
    `SELECT player_id, MAX(player_name) AS name, SUM(points) AS total, MAX(solve_seq) AS reached
    FROM hunt_assignments WHERE hunt_id = ? AND outcome = ${OUTCOME.solved}
    GROUP BY player_id ORDER BY total DESC, reached LIMIT ?`,
    [huntId, limit],
  );
  return rows.map(({ player_id, name, total }, index) => ({
    rank: index + 1,
    playerId: player_id,
    name,
    points: Number(total),
  }));
}

/** How many players were ever given an assignment, how many assignments there were, and how many were solved. */
export async function assignmentCounts(sql: Pick<Sql, "query">, huntId: string): Promise<AssignmentCounts> {
  const [row] = await sql.query<Record<keyof AssignmentCounts, unknown>>(
    `SELECT COUNT(DISTINCT player_id) AS players, COUNT(*) AS assignments,
      COUNT(CASE WHEN outcome = ${OUTCOME.solved} THEN 1 END) AS solved
    FROM hunt_assignments WHERE hunt_id = ?`,
    [huntId],
  );
  return { players: Number(row!.players), assignments: Number(row!.assignments), solved: Number(row!.solved) };
}

function upsertOf(dialect: "mysql" | "sqlite", rows: number): string {
  const placeholders = `(${Array(COLUMNS.length + 1)
    .fill("?")
    .join(",")})`;
  const [onConflict, greatest, added] =
    dialect === "mysql"
      ? ["ON DUPLICATE KEY UPDATE", "GREATEST", (column: string) => `VALUES(${column})`]
      : ["ON CONFLICT DO UPDATE SET", "MAX", (column: string) => `excluded.${column}`];
  const growing = GROWING.map((column) => `${column} = ${greatest}(hunt_assignments.${column}, ${added(column)})`);
  // The holder of an assignment never changes. A row that claims otherwise fails on the column that takes no NULL, and the
  // whole statement with it (see `commitOrContradict`).
  const sameHolder = `CASE WHEN hunt_assignments.player_id = ${added("player_id")} THEN hunt_assignments.player_name END`;
  return `INSERT INTO hunt_assignments (hunt_id, ${COLUMNS.join(", ")})
    VALUES ${Array(rows).fill(placeholders).join(",")}
    ${onConflict} player_name = ${sameHolder}, ${growing.join(", ")}`;
}

/**
 * The row of a later generation says that those before it on this instance are over, also where the decision that closed
 * them was lost with its node: so that no instance is ever open for two in the database.
 */
async function closeOutdated(sql: Sql, huntId: string, rows: readonly AssignmentRow[]): Promise<void> {
  const later = rows.filter(({ generation }) => generation > 1);
  if (later.length === 0) return;
  await sql.write(
    // Of the outcomes that it may have had, the lowest: the true row, should it come yet, corrects it.
    `UPDATE hunt_assignments SET outcome = ${OUTCOME.exhausted}, closed_at = opened_at
    WHERE hunt_id = ? AND outcome = ${OUTCOME.open}
      AND (${later.map(() => "(instance = ? AND generation < ?)").join(" OR ")})`,
    [huntId, ...later.flatMap(({ instance, generation }) => [instance, generation])],
  );
}

/** One row an assignment and holder, in the order of the primary key, which keeps concurrent flushes from deadlocks. */
function mergedInOrder(rows: readonly AssignmentRow[]): AssignmentRow[] {
  const merged = new Map<string, AssignmentRow>();
  for (const row of rows) {
    const key = `${assignmentIdOf(row)} ${row.playerId}`;
    const known = merged.get(key);
    merged.set(key, known === undefined ? row : mergeRows(known, row));
  }
  return [...merged.values()].sort((a, b) => a.instance - b.instance || a.generation - b.generation);
}

function valuesOf(row: AssignmentRow): (string | number)[] {
  return [
    ...[row.instance, row.generation, row.playerId, row.playerName, row.openedAt, row.expiresAt],
    ...[row.attemptsBefore, row.attemptsUsed, row.requestMarks, row.outcome, row.closedAt, row.points, row.solveSeq],
  ];
}

function rowOf(stored: StoredRow): AssignmentRow {
  return {
    instance: Number(stored.instance),
    generation: Number(stored.generation),
    playerId: String(stored.player_id),
    playerName: String(stored.player_name),
    openedAt: Number(stored.opened_at),
    expiresAt: Number(stored.expires_at),
    attemptsBefore: Number(stored.attempts_before),
    attemptsUsed: Number(stored.attempts_used),
    requestMarks: String(stored.request_marks),
    outcome: Number(stored.outcome) as Outcome,
    closedAt: Number(stored.closed_at),
    points: Number(stored.points),
    solveSeq: Number(stored.solve_seq),
  };
}
