import type { Sql, Transaction } from "../../entities/sql.ts";
import { OUTCOME, type Standing } from "../../stores/hunts/ClueLedger.ts";

/** The last assignment of a hunt that has been counted. */
export interface Counted {
  instance: number;
  generation: number;
}

/** How far the counting of a hunt has come: its assignments, and once those are counted its players. */
export interface Counting extends Counted {
  tally?: Tally;
}

export const NOTHING_COUNTED: Counting = { instance: -1, generation: 0 };

/** How many assignments and players one part counts. */
export interface CountingPages {
  assignments: number;
  players: number;
}

/** Counts the next part of a hunt to which nothing can be committed any more; `total` once there are no more. */
export async function countPart(
  tx: Transaction,
  huntId: string,
  from: Counting,
  pages: CountingPages,
): Promise<{ progress: Counting; total?: Tally }> {
  const { instance, generation, tally: before } = from;
  const counted = before ? undefined : await countAssignments(tx, huntId, from, pages.assignments);
  if (counted) return { progress: counted };
  const { tally, isLast } = await tallyScores(tx, huntId, before ?? NOTHING_TALLIED, pages.players);
  return { progress: { instance, generation, tally }, ...(isLast && { total: tally }) };
}

const AFTER = "hunt_id = ? AND instance >= ? AND (instance > ? OR generation > ?)";
const UP_TO = "instance <= ? AND (instance < ? OR generation <= ?)";

/**
 * Adds up to `limit` assignments after `after`, in the order of their key, to the scores of their players; who has solved nothing has a score
 * of 0. To be called once for each part: where it has come to is stored in the same transaction. Nothing may be committed to
 * the hunt any more. Returns the last one counted; undefined when there are no more.
 */
export async function countAssignments(
  tx: Transaction,
  huntId: string,
  after: Counted,
  limit: number,
): Promise<Counted | undefined> {
  const from = [huntId, after.instance, after.instance, after.generation];
  const [last] = await tx.query<{ instance: unknown; generation: unknown }>(
    `SELECT instance, generation FROM hunt_assignments WHERE ${AFTER} ORDER BY instance, generation LIMIT 1 OFFSET ?`,
    [...from, limit - 1],
  );
  const to = last && { instance: Number(last.instance), generation: Number(last.generation) };
  const solved = `outcome = ${OUTCOME.solved}`;
  await tx.write(
    `INSERT INTO hunt_scores (hunt_id, player_id, name, points, solved, reached)
     SELECT hunt_id, player_id, MAX(player_name), SUM(CASE WHEN ${solved} THEN points ELSE 0 END),
       SUM(CASE WHEN ${solved} THEN 1 ELSE 0 END), MAX(CASE WHEN ${solved} THEN solve_seq ELSE 0 END)
     FROM hunt_assignments WHERE ${AFTER}${to ? ` AND ${UP_TO}` : ""} GROUP BY hunt_id, player_id
     ${added(tx.dialect)}`,
    [...from, ...(to ? [to.instance, to.instance, to.generation] : [])],
  );
  return to;
}

function added(dialect: Sql["dialect"]): string {
  const [onConflict, greatest, value] =
    dialect === "mysql"
      ? ["ON DUPLICATE KEY UPDATE", "GREATEST", (column: string) => `VALUES(${column})`]
      : ["ON CONFLICT (hunt_id, player_id) DO UPDATE SET", "MAX", (column: string) => `excluded.${column}`];
  const sums = ["points", "solved"].map((column) => `${column} = hunt_scores.${column} + ${value(column)}`);
  const greatestOf = ["name", "reached"].map(
    (column) => `${column} = ${greatest}(hunt_scores.${column}, ${value(column)})`,
  );
  return `${onConflict} ${[...sums, ...greatestOf].join(", ")}`;
}

/**
 * Up to which instance (not including it) all from `from` on are committed as solved, by a look at some `limit` assignments, or at all of one
 * instance: `from` where one of those looked at is not. `total` is how many instances there are.
 */
export async function solvedUpTo(
  sql: Pick<Sql, "query">,
  huntId: string,
  { from, total, limit }: { from: number; total: number; limit: number },
): Promise<number> {
  const [beyond] = await sql.query<{ instance: unknown }>(
    `SELECT instance FROM hunt_assignments WHERE hunt_id = ? AND instance >= ? ORDER BY instance, generation LIMIT 1 OFFSET ?`,
    [huntId, from, limit],
  );
  const to = beyond ? Math.max(Number(beyond.instance), from + 1) : total;
  const [row] = await sql.query<{ solved: unknown }>(
    `SELECT COUNT(*) AS solved FROM hunt_assignments
     WHERE hunt_id = ? AND instance >= ? AND instance < ? AND outcome = ${OUTCOME.solved}`,
    [huntId, from, to],
  );
  return Number(row!.solved) === to - from ? to : from;
}

/** The best `limit` players of a hunt that is counted; of equal points whoever reached them first. */
export async function bestScores(sql: Pick<Sql, "query">, huntId: string, limit: number): Promise<Standing[]> {
  const rows = await sql.query<{ player_id: string; name: string; points: unknown }>(
    `SELECT player_id, name, points FROM hunt_scores WHERE hunt_id = ? AND points > 0
     ORDER BY hunt_id, points DESC, reached LIMIT ?`,
    [huntId, limit],
  );
  return rows.map(({ player_id, name, points }, at) => ({
    rank: at + 1,
    playerId: player_id,
    name,
    points: Number(points),
  }));
}

/** How many players up to `after` have a score, and how many assignments they have solved. */
export interface Tally {
  after: string;
  players: number;
  solved: number;
}

export const NOTHING_TALLIED: Tally = { after: "", players: 0, solved: 0 };

/** Adds the next `limit` players of a hunt that is counted; `isLast` when there are no more. */
export async function tallyScores(
  sql: Pick<Sql, "query">,
  huntId: string,
  { after, players, solved }: Tally,
  limit: number,
): Promise<{ tally: Tally; isLast: boolean }> {
  const [row] = await sql.query<{ players: unknown; solved: unknown; last: string | null }>(
    `SELECT COUNT(*) AS players, SUM(solved) AS solved, MAX(player_id) AS last FROM
     (SELECT player_id, solved FROM hunt_scores WHERE hunt_id = ? AND player_id > ? ORDER BY hunt_id, player_id LIMIT ?) part`,
    [huntId, after, limit],
  );
  const more = Number(row!.players);
  const tally = { after: row!.last ?? after, players: players + more, solved: solved + Number(row!.solved) };
  return { tally, isLast: more < limit };
}
