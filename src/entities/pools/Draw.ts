import { RingmasterError } from "../../errors.ts";
import { insertNew } from "../insertNew.ts";
import type { Sql, Transaction } from "../sql.ts";
import { countedInTime } from "./entries.ts";
import type { Period } from "./Pool.ts";

/** A weekly draw. Times are epoch milliseconds. */
export interface Draw {
  weekStartsAt: number;
  weekEndsAt: number;
  drawnAt: number;
  /** 32 random bytes in hex. */
  seed: string;
  /** How many took part. */
  candidates: number;
  /** SHA-256 in hex of their ids, joined by "\n" in the order of their positions. */
  candidatesHash: string;
  /** `null` when nobody took part. */
  winner: { playerId: string; name: string } | null;
}

/** What a draw came to. */
export interface DrawResult extends Pick<Draw, "candidates" | "candidatesHash" | "winner"> {
  drawnAt: number;
}

interface DrawRow {
  week_starts_at: unknown;
  week_ends_at: unknown;
  drawn_at: unknown;
  seed: string;
  candidates: unknown;
  candidates_hash: string;
  winner_id: string | null;
  winner_name: string | null;
}

const COLUMNS = "week_starts_at, week_ends_at, drawn_at, seed, candidates, candidates_hash, winner_id, winner_name";

/** Latest first. */
export async function draws(sql: Sql, limit: number): Promise<Draw[]> {
  return (await sql.query<DrawRow>(`SELECT ${COLUMNS} FROM draws ORDER BY week_starts_at DESC LIMIT ?`, [limit])).map(
    drawOf,
  );
}

/** Throws `not_found`. */
export async function drawOfWeek(sql: Sql, weekStartsAt: number): Promise<Draw> {
  const [row] = await sql.query<DrawRow>(`SELECT ${COLUMNS} FROM draws WHERE week_starts_at = ?`, [weekStartsAt]);
  if (!row) throw new RingmasterError("not_found", "There is no draw of that week.");
  return drawOf(row);
}

/** Who took part, in order, from position `offset` on (the first is 0). */
export async function candidatesOf(sql: Sql, weekStartsAt: number, offset: number, limit: number): Promise<string[]> {
  const rows = await sql.query<{ player_id: string }>(
    `SELECT player_id FROM draw_candidates WHERE week_starts_at = ? AND position >= ? AND position < ? ORDER BY position`,
    [weekStartsAt, offset, offset + limit],
  );
  return rows.map(({ player_id }) => player_id);
}

/**
 * Makes a week's draw this transaction's own. False when it has been made; while another transaction is at it, this waits for its end.
 */
export async function claimDraw(tx: Transaction, week: Period, seed: string): Promise<boolean> {
  const columns = ["week_starts_at", "week_ends_at", "drawn_at", "seed", "candidates", "candidates_hash"];
  return (await insertNew(tx, { table: "draws", columns }, [[week.startsAt, week.endsAt, 0, seed, 0, ""]])) === 1;
}

/** Stores everybody who made an entry in one of these games in that week, in the order of their ids. */
export async function storeCandidates(tx: Transaction, week: Period, games: readonly string[]): Promise<void> {
  if (games.length === 0) return;
  await tx.write(
    `INSERT INTO draw_candidates (week_starts_at, position, player_id)
     SELECT ?, ROW_NUMBER() OVER (ORDER BY player_id) - 1, player_id FROM (
       SELECT DISTINCT e.player_id FROM ${countedInTime(tx)}
       WHERE e.game IN (${games.map(() => "?").join(", ")}) AND e.stored_at >= ? AND e.stored_at < ?
     ) players`,
    [week.startsAt, ...games, week.startsAt, week.endsAt],
  );
}

export async function finishDraw(tx: Transaction, week: Period, result: DrawResult): Promise<void> {
  const { drawnAt, candidates, candidatesHash, winner } = result;
  await tx.write(
    "UPDATE draws SET drawn_at = ?, candidates = ?, candidates_hash = ?, winner_id = ?, winner_name = ? WHERE week_starts_at = ?",
    [drawnAt, candidates, candidatesHash, winner?.playerId ?? null, winner?.name ?? null, week.startsAt],
  );
}

/** The name that a candidate played under in that week. */
export async function candidateName(
  sql: Sql,
  playerId: string,
  week: Period,
  games: readonly string[],
): Promise<string> {
  const [row] = await sql.query<{ player_name: string }>(
    `SELECT e.player_name FROM ${countedInTime(sql)} WHERE e.game IN (${games.map(() => "?").join(", ")})
     AND e.stored_at >= ? AND e.stored_at < ? AND e.player_id = ? ORDER BY e.stored_at DESC LIMIT 1`,
    [...games, week.startsAt, week.endsAt, playerId],
  );
  return row!.player_name;
}

function drawOf(row: DrawRow): Draw {
  return {
    weekStartsAt: Number(row.week_starts_at),
    weekEndsAt: Number(row.week_ends_at),
    drawnAt: Number(row.drawn_at),
    seed: row.seed,
    candidates: Number(row.candidates),
    candidatesHash: row.candidates_hash,
    winner: row.winner_id === null ? null : { playerId: row.winner_id, name: row.winner_name! },
  };
}
