import { RingmasterError, toRingmasterError } from "../errors.ts";
import { CommitUnknown, databaseError, failureOf } from "./failures.ts";
import type { Database, Sql } from "./sql.ts";

/**
 * What becomes of decisions that hot state has made and that are to be committed: `committed`; `stale` (nothing was written: they
 * were decided under another epoch than the event's, or too late, so ask the hot state again); `contradicted` (nothing was
 * written: the database holds something else, so the hot state is older than what was acknowledged and must be rebuilt
 * under a new epoch); `over` (nothing was written: the time in which the event takes anything had ended by the database's clock);
 * `paused` (nothing was written: the event is paused, or was since this was decided).
 */
export type CommitResult = "committed" | "stale" | "contradicted" | "over" | "paused";

/** What a journal needs the database for; `Database` has it. */
export type JournalDatabase = Pick<Database, "dialect" | "query" | "transaction">;

/** A deadlock's victim has written nothing and may try again; a third time in a row is no accident. */
const MAX_ATTEMPTS = 3;

/**
 * Runs `work` in a transaction, again after a deadlock. Answers `contradicted` when it was refused by a column that takes no NULL:
 * so journals say that a row is there already and is another one. Rejects with `unavailable` when it may have happened.
 */
export async function commitOrContradict<T>(
  database: JournalDatabase,
  work: (sql: Sql) => Promise<T>,
): Promise<T | "contradicted"> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await database.transaction(work);
    } catch (error) {
      if (isContradiction(error)) return "contradicted";
      if (failureOf(error) !== "conflict" || attempt === MAX_ATTEMPTS) throw failureOfStore(error);
    }
  }
}

/** A commit of unknown outcome is `unavailable` too: repeating it is safe. */
export function failureOfStore(error: unknown): RingmasterError {
  return error instanceof CommitUnknown
    ? new RingmasterError("unavailable", undefined, undefined, { cause: error })
    : toRingmasterError(databaseError(error));
}

function isContradiction(error: unknown): boolean {
  const { code, driverError } = error as { code?: string; driverError?: { code?: string } };
  return ["ER_BAD_NULL_ERROR", "SQLITE_CONSTRAINT_NOTNULL"].includes(driverError?.code ?? code ?? "");
}
