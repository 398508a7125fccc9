import { databaseTime } from "../../entities/databaseTime.ts";
import type { Sql } from "../../entities/sql.ts";

/**
 * How far ahead of the database's clock, in milliseconds, a moment may be that is taken for now. Less than `SETTLED_MS` of the pools: what is
 * taken to have been over for that long is over then.
 */
export const MOST_AHEAD_MS = 5000;

export interface DatabaseClock {
  database: Sql;
  /** Tells the database's time in epoch milliseconds: the database itself, unless told. */
  databaseNow?: () => Promise<number>;
}

/**
 * Throws when it is not so late by the database's clock. What is closed stays closed, and what is removed is gone: a node whose clock
 * is ahead would finalise the pools, draw the winners and count the rankings of days that nobody has played in yet, and would take
 * for old what is still of use.
 */
export async function ensureNotAhead(
  now: number,
  { database, databaseNow = () => databaseTime(database) }: DatabaseClock,
): Promise<void> {
  const ahead = now - (await databaseNow());
  if (ahead <= MOST_AHEAD_MS) return;
  throw new Error(
    `nothing is done: ${new Date(now).toISOString()}, which is now by this node's clock or was when the run was due, is ${ahead} ms ahead of the database's clock`,
  );
}
