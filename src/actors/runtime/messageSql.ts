import type { Database, Sql } from "../../entities/sql.ts";
import type { ActorAddress } from "./actorRow.ts";
import type { MessageId, Position } from "./messages.ts";

/** Rows that are read, adopted or deleted by one statement. */
export const MESSAGE_PAGE = 500;

/** The key of a row of `actor_events`, `actor_tells` or `actor_dead_letters`. */
export const OF_MESSAGE = "kind = ? AND id = ? AND version = ? AND idx = ?";
export const keyOf = ({ kind, id, version, index }: MessageId): unknown[] => [kind, id, version, index];

/** A key as a row has it. */
export interface KeyRow extends ActorAddress {
  version: number;
  idx: number;
}

export const idOf = ({ kind, id, version, idx }: KeyRow): MessageId => ({
  kind,
  id,
  version: Number(version),
  index: Number(idx),
});

/** A condition for "comes after this address", in the order of the two columns. */
export const afterAddress = (kind: string, id: string): string => `(${kind} > ? OR (${kind} = ? AND ${id} > ?))`;
export const afterAddressParams = ({ kind, id }: ActorAddress): string[] => [kind, kind, id];

/** An actor, and where among its messages a read goes on (exclusive). */
export interface SenderCursor {
  address: ActorAddress;
  after: Position;
}

/** A condition for "is a message of one of these, after its cursor", and its parameters. */
export function afterCursors(cursors: readonly SenderCursor[]): { where: string; params: unknown[] } {
  const one = "(kind = ? AND id = ? AND (version > ? OR (version = ? AND idx > ?)))";
  return {
    where: `(${cursors.map(() => one).join(" OR ")})`,
    params: cursors.flatMap(({ address: { kind, id }, after: { version, index } }) => [
      ...[kind, id, version],
      ...[version, index],
    ]),
  };
}

/** Deletes messages of `owner`; what has another owner by now is the other one's to delete. */
export async function deleteMessages(
  sql: Sql,
  table: "actor_events" | "actor_tells",
  owner: string,
  ids: readonly MessageId[],
): Promise<void> {
  for (let at = 0; at < ids.length; at += MESSAGE_PAGE) {
    const page = ids.slice(at, at + MESSAGE_PAGE);
    const keys = page.map(() => `(${OF_MESSAGE})`).join(" OR ");
    await sql.write(`DELETE FROM ${table} WHERE owner = ? AND (${keys})`, [owner, ...page.flatMap(keyOf)]);
  }
}

/** What a page of another node's messages had: none, some, or so many that there may be more. */
export type Adopted = "none" | "some" | "more";

/**
 * Makes a page of another node's messages this node's, without those that somebody has locked; in SQLite, which knows no locks of
 * rows and no nodes beside this one, all.
 */
export async function adoptMessages(
  database: Database,
  table: "actor_events" | "actor_tells",
  from: string,
  to: string,
): Promise<Adopted> {
  if (database.dialect !== "mysql") {
    const { affected } = await database.write(`UPDATE ${table} SET owner = ? WHERE owner = ?`, [to, from]);
    return affected === 0 ? "none" : "some";
  }
  return database.transaction(async (tx) => {
    const rows = await tx.query<KeyRow>(
      `SELECT kind, id, version, idx FROM ${table} WHERE owner = ? LIMIT ${MESSAGE_PAGE} FOR UPDATE SKIP LOCKED`,
      [from],
    );
    if (rows.length === 0) return "none";
    await tx.write(
      `UPDATE ${table} SET owner = ? WHERE (kind, id, version, idx) IN (${rows.map(() => "(?, ?, ?, ?)").join(", ")})`,
      [to, ...rows.flatMap((row) => keyOf(idOf(row)))],
    );
    return rows.length === MESSAGE_PAGE ? "more" : "some";
  });
}
