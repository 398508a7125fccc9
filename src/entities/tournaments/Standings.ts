import { MergedPages } from "../bulk.ts";
import type { Database } from "../sql.ts";
import { exactDouble, type Row, type RowPages, type Sql, type Transaction, type Value } from "../sql.ts";
import type { Order } from "./Tournament.ts";

/** A row of a tournament's final standings. */
export interface FinalStanding {
  /** From 1, without gaps; no two players share one. */
  rank: number;
  playerId: string;
  name: string;
  score: number;
  subscore: number;
  /** How many the player made. */
  entries: number;
}

interface StoredStanding {
  place: unknown;
  player_id: string;
  player_name: string;
  score: unknown;
  subscore: unknown;
  entries: unknown;
}

/** Parts of a large result that a server sorts at the same time. */
const STREAMS = 2;

export const STANDING_COLUMNS = [
  "tournament_id",
  "place",
  "player_id",
  "player_name",
  "score",
  "subscore",
  "entries",
] as const;

/** The ranks `from` to `to` of a settled tournament, in order; read by the primary key. */
export async function finalStandings(
  sql: Pick<Sql, "query" | "dialect">,
  tournamentId: string,
  from: number,
  to: number,
): Promise<FinalStanding[]> {
  const rows = await sql.query<StoredStanding>(
    `SELECT ${selected(sql)} FROM standings WHERE tournament_id = ? AND place BETWEEN ? AND ? ORDER BY place`,
    [tournamentId, from, to],
  );
  return rows.map(standingOf);
}

/** The standings of these players (at most some thousands) in a settled tournament, in any order, without those who have none. */
export async function finalStandingsOf(
  sql: Pick<Sql, "query" | "dialect">,
  tournamentId: string,
  playerIds: readonly string[],
): Promise<FinalStanding[]> {
  if (playerIds.length === 0) return [];
  const rows = await sql.query<StoredStanding>(
    `SELECT ${selected(sql)} FROM standings
    WHERE tournament_id = ? AND player_id IN (${playerIds.map(() => "?").join(", ")})`,
    [tournamentId, ...playerIds],
  );
  return rows.map(standingOf);
}

/** Stores a page of final standings. */
export async function insertStandings(
  tx: Pick<Transaction, "load">,
  tournamentId: string,
  page: readonly FinalStanding[],
): Promise<void> {
  const rows = page.map((row): Value[] => [
    tournamentId,
    row.rank,
    row.playerId,
    row.name,
    row.score,
    row.subscore,
    row.entries,
  ]);
  await tx.load("standings", STANDING_COLUMNS, rows);
}

/** Removes what was stored behind the first `stored` ranks. */
export async function removeStandingsBehind(
  tx: Pick<Sql, "write">,
  tournamentId: string,
  stored: number,
): Promise<void> {
  await tx.write("DELETE FROM standings WHERE tournament_id = ? AND place > ?", [tournamentId, stored]);
}

/**
 * How the players stand by their committed entries, best first: the standings-to-be, all of them in pages. The order is one that
 * every reading finds again, as long as nothing more is committed.
 */
export function standingsToBe(
  database: Pick<Database, "stream" | "dialect">,
  { id, order }: { id: string; order: Order },
  page: number,
): RowPages {
  const { dialect } = database;
  if (dialect === "sqlite") return database.stream(latestEntries(dialect, order), [id], page);
  // What takes long is the sorting, of which a server does one with one core.
  const parts = Array.from({ length: STREAMS }, (_, part) =>
    database.stream(latestEntries(dialect, order, `AND CRC32(e.player_id) % ${STREAMS} = ${part}`), [id], page),
  );
  return new MergedPages(parts, (a, b) => isBefore(a, b, order), page);
}

/** The best `limit` players of the standings-to-be. */
export async function bestToBe(
  sql: Pick<Sql, "query" | "dialect">,
  tournament: { id: string; order: Order },
  limit: number,
): Promise<FinalStanding[]> {
  const rows = await sql.query<object>(`${latestEntries(sql.dialect, tournament.order)} LIMIT ?`, [
    tournament.id,
    limit,
  ]);
  return rows.map((row, index) => rankedRow(Object.values(row), index + 1));
}

/** How many players have a committed entry. */
export async function playersToBe(sql: Pick<Sql, "query">, tournamentId: string): Promise<number> {
  const [row] = await sql.query<{ players: unknown }>(
    "SELECT COUNT(*) AS players FROM score_entries WHERE tournament_id = ? AND entry_no = 1",
    [tournamentId],
  );
  return Number(row!.players);
}

/** A row of `standingsToBe` at its rank. */
export function rankedRow([playerId, name, score, subscore, entries]: Row, rank: number): FinalStanding {
  return {
    rank,
    playerId: playerId as string,
    name: name as string,
    score: Number(score),
    subscore: Number(subscore),
    entries: Number(entries),
  };
}

/** A player's latest entry is the one without a successor: they are numbered without gaps. */
function latestEntries(dialect: Sql["dialect"], order: Order, only = ""): string {
  const way = order === "desc" ? "DESC" : "ASC";
  return `SELECT e.player_id, e.player_name, ${exactDouble(dialect, "e.best")} AS score, e.best_subscore, e.entry_no, e.reached_seq
    FROM score_entries e
    WHERE e.tournament_id = ? ${only} AND NOT EXISTS (SELECT 1 FROM score_entries n
      WHERE n.tournament_id = e.tournament_id AND n.player_id = e.player_id AND n.entry_no = e.entry_no + 1)
    ORDER BY e.best ${way}, e.best_subscore ${way}, e.reached_seq`;
}

/** The same order, of two rows. No two entries of a tournament were reached with the same one. */
function isBefore(a: Row, b: Row, order: Order): boolean {
  const difference = Number(a[2]) - Number(b[2]) || Number(a[3]) - Number(b[3]);
  if (difference === 0) return Number(a[5]) < Number(b[5]);
  return order === "desc" ? difference > 0 : difference < 0;
}

const selected = ({ dialect }: Pick<Sql, "dialect">): string =>
  `place, player_id, player_name, ${exactDouble(dialect, "score")} AS score, subscore, entries`;

function standingOf(row: StoredStanding): FinalStanding {
  return {
    rank: Number(row.place),
    playerId: row.player_id,
    name: row.player_name,
    score: Number(row.score),
    subscore: Number(row.subscore),
    entries: Number(row.entries),
  };
}
