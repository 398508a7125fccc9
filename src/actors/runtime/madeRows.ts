import { databaseMicrosIn } from "../../entities/databaseTime.ts";
import { CommitUnknown } from "../../entities/failures.ts";
import { insertNew } from "../../entities/insertNew.ts";
import type { Sql } from "../../entities/sql.ts";
import type { ActorAddress, ClaimedRow } from "./actorRow.ts";
import { slotOf } from "./placement.ts";
import { actorKey } from "./protocol.ts";
import { failingAt, type TimerRecord } from "./timers.ts";

const NEW_ACTOR = {
  table: "actors",
  columns:
    "kind, id, owner, epoch, state, state_version, timers, due_at, failing_at, crashes, created_at, updated_at, slot".split(
      ", ",
    ),
};

/** What the first turn that stores something of an actor makes its row of. */
export interface FirstWrites {
  state: string;
  timers: readonly TimerRecord[];
  dueAt: number | null;
  now: number;
}

/**
 * Makes an actor's row, owned by this node. Returns its version; undefined when somebody else was first. It begins at the database's
 * time, in microseconds: where the row was there before and is made again, that is after every version it had, since no actor takes a
 * turn each microsecond. Throws CommitUnknown where it is made, and the version cannot be read.
 */
export async function makeRow(
  sql: Sql,
  nodeId: string,
  row: ClaimedRow,
  { state, timers, dueAt, now }: FirstWrites,
): Promise<number | undefined> {
  const { kind, id, epoch } = row;
  const computed: Array<[string, string]> = [["version", databaseMicrosIn(sql.dialect)]];
  const inserted = await insertNew(sql, { ...NEW_ACTOR, computed }, [
    [
      ...[kind, id, nodeId, epoch, state, row.stateVersion],
      ...[JSON.stringify(timers), dueAt, failingAt(timers), 0, now, now, slotOf(actorKey(row))],
    ],
  ]);
  if (inserted !== 1) return undefined;
  try {
    const [made] = await sql.query<{ version: number }>(
      "SELECT version FROM actors WHERE kind = ? AND id = ? AND epoch = ? AND owner = ?",
      [kind, id, epoch, nodeId],
    );
    if (made) return Number(made.version);
  } catch (cause) {
    throw new CommitUnknown(`the version of ${actorKey(row)} cannot be read`, { cause });
  }
  throw new CommitUnknown(`${actorKey(row)} was taken as soon as it was made`);
}

/** Deletes rows that nothing has been stored in since they were made, which the caller has locked. */
export async function deleteBlank(sql: Sql, rows: readonly ClaimedRow[]): Promise<void> {
  await sql.write(
    `DELETE FROM actors WHERE (kind, id, version) IN (${rows.map(() => "(?, ?, ?)").join(", ")})`,
    rows.flatMap(({ kind, id, version }) => [kind, id, version]),
  );
}

/**
 * Deletes the row, which the caller has locked, and what repeats of its calls would be answered with. What it has sent is delivered
 * all the same, and what it has had of others stays known (`actor_marks`), so that nothing takes effect twice.
 */
export async function deleteRow(sql: Sql, { kind, id }: ActorAddress): Promise<void> {
  await sql.write("DELETE FROM actor_requests WHERE kind = ? AND id = ?", [kind, id]);
  await sql.write("DELETE FROM actors WHERE kind = ? AND id = ?", [kind, id]);
}
