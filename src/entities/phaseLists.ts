import type { Sql } from "./sql.ts";

/** A part of a table of events, by an index on `(phase, time, id)`. */
export interface PhaseList {
  table: string;
  columns: string;
  phases: readonly string[];
  time: string;
  direction: "ASC" | "DESC";
  limit: number;
}

/**
 * The first rows of all these phases together, by time and id. Reads `limit` rows of each phase at most: one statement over all of them would
 * read all that are in one of them, and sort.
 */
export async function firstOfPhases<T extends Record<"id", string>>(
  sql: Pick<Sql, "query">,
  { table, columns, phases, time, direction, limit }: PhaseList,
): Promise<T[]> {
  if (phases.length === 0) return [];
  const parts = phases.map(
    (_, at) => `SELECT * FROM (SELECT ${time} AS listed_by, ${columns} FROM ${table} WHERE phase = ?
      ORDER BY ${time} ${direction}, id ${direction} LIMIT ${limit}) of_${at}`,
  );
  const rows = await sql.query<T & { listed_by: unknown }>(parts.join(" UNION ALL "), phases);
  const sign = direction === "ASC" ? 1 : -1;
  return rows
    .toSorted((a, b) => sign * (Number(a.listed_by) - Number(b.listed_by) || (a.id < b.id ? -1 : 1)))
    .slice(0, limit);
}

/** Phases by what they mean to who looks for something to play; each list in the order in which they come. */
export interface PhaseSets<Phase extends string = string> {
  coming: readonly Phase[];
  on: readonly Phase[];
  over: readonly Phase[];
}

/** What the lobby's board reads of a kind of events. */
export interface BoardList<T> {
  /** Those that have begun and are not over, the latest first. */
  on: T[];
  /** Those that have not begun, the soonest first. */
  coming: T[];
  /** Some that are over, so that a late event does not bring them back. */
  over: T[];
}
