import type { Sql } from "../sql.ts";

/** `left`: the player left the last room they were in, and did not come back. `timeout`: nothing was heard of them for too long. */
export type SessionEnd = "left" | "timeout";

/** A session that is over. Player and start are its key. Times are epoch milliseconds. */
export interface EndedSession {
  playerId: string;
  startedAt: number;
  /** The last activity. */
  seenAt: number;
  /** When the player left, or when the time without activity was up. */
  endedAt: number;
  end: SessionEnd;
}

/** What a player sees of a session that is over. */
export type PastSession = Omit<EndedSession, "playerId">;

type StoredSession = { started_at: unknown; seen_at: unknown; ended_at: unknown; end_reason: SessionEnd };

/** How far back a player's own list goes. */
const MOST_LISTED = 50;

/** All sessions that are over, one row each. */
export class SessionHistory {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /**
   * Adds sessions, at most 1,000, in one statement. One that is there already stays one row, which only grows: a Redis that
   * came back older than it was may tell of a session twice, and the longer telling is the true one.
   */
  async keep(sessions: readonly EndedSession[]): Promise<void> {
    if (sessions.length === 0) return;
    // In the order of the key, so that two keepers of the same sessions wait for each other instead of deadlocking.
    const ordered = sessions.toSorted(
      (a, b) => compare(a.playerId, b.playerId) || compare(a.startedAt, b.startedAt) || compare(a.endedAt, b.endedAt),
    );
    await this.#sql.write(
      keepStatement(this.#sql.dialect, ordered.length),
      ordered.flatMap(({ playerId, startedAt, seenAt, endedAt, end }) => [playerId, startedAt, seenAt, endedAt, end]),
    );
  }

  /** A player's latest, newest first. */
  async of(playerId: string): Promise<PastSession[]> {
    const rows = await this.#sql.query<StoredSession>(
      `SELECT started_at, seen_at, ended_at, end_reason FROM player_sessions WHERE player_id = ?
       ORDER BY started_at DESC LIMIT ${MOST_LISTED}`,
      [playerId],
    );
    return rows.map((row) => ({
      startedAt: Number(row.started_at),
      seenAt: Number(row.seen_at),
      endedAt: Number(row.ended_at),
      end: row.end_reason,
    }));
  }
}

function keepStatement(dialect: Sql["dialect"], rows: number): string {
  const [onConflict, greatest, added] =
    dialect === "mysql"
      ? ["ON DUPLICATE KEY UPDATE", "GREATEST", (column: string) => `VALUES(${column})`]
      : ["ON CONFLICT DO UPDATE SET", "MAX", (column: string) => `excluded.${column}`];
  const grown = (column: string): string => `${column} = ${greatest}(player_sessions.${column}, ${added(column)})`;
  // The reason comes first: MySQL assigns from left to right, and it depends on which end is the later one.
  return `INSERT INTO player_sessions (player_id, started_at, seen_at, ended_at, end_reason)
    VALUES ${Array(rows).fill("(?, ?, ?, ?, ?)").join(", ")}
    ${onConflict} end_reason = CASE WHEN ${added("ended_at")} > player_sessions.ended_at
      THEN ${added("end_reason")} ELSE player_sessions.end_reason END, ${grown("seen_at")}, ${grown("ended_at")}`;
}

function compare<T extends string | number>(a: T, b: T): number {
  return a < b ? -1 : Number(a > b);
}
