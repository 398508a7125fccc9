import { insertNew } from "../../entities/insertNew.ts";
import type { Sql } from "../../entities/sql.ts";
import type { ActorAddress } from "./actorRow.ts";
import type { Mark } from "./marks.ts";

/** A mark has changed since it was read: the turn or the transaction that went by it must not be stored. */
export class MarkMoved extends Error {}

interface MarkRow {
  version: number;
  idx: number;
  gaps: string;
}

const MARKS = {
  table: "actor_marks",
  columns: ["version", "idx", "gaps", "updated_at", "kind", "id", "from_kind", "from_id"],
};
const OF_PAIR = "kind = ? AND id = ? AND from_kind = ? AND from_id = ?";

/** The mark that `to` has of `from`. `lock`: nobody else changes it before this transaction ends. */
export async function readMark(
  sql: Sql,
  to: ActorAddress,
  from: ActorAddress,
  lock = false,
): Promise<Mark | undefined> {
  const locking = lock && sql.dialect === "mysql" ? " FOR UPDATE" : "";
  const [row] = await sql.query<MarkRow>(`SELECT version, idx, gaps FROM actor_marks WHERE ${OF_PAIR}${locking}`, [
    to.kind,
    to.id,
    from.kind,
    from.id,
  ]);
  return row && { version: Number(row.version), index: Number(row.idx), gaps: JSON.parse(row.gaps) };
}

/** Stores a mark where it still is `before`; throws MarkMoved where it is not. */
export async function writeMark(
  sql: Sql,
  pair: { to: ActorAddress; from: ActorAddress },
  change: { before: Mark | undefined; after: Mark },
  now: number,
): Promise<void> {
  const { to, from } = pair;
  const { before, after } = change;
  const key = [to.kind, to.id, from.kind, from.id];
  const next = [after.version, after.index, JSON.stringify(after.gaps), now];
  const stored = before
    ? (
        await sql.write(
          `UPDATE actor_marks SET version = ?, idx = ?, gaps = ?, updated_at = ?
         WHERE ${OF_PAIR} AND version = ? AND idx = ? AND gaps = ?`,
          [...next, ...key, before.version, before.index, JSON.stringify(before.gaps)],
        )
      ).affected
    : await insertNew(sql, MARKS, [[...next, ...key]]);
  if (stored !== 1) throw new MarkMoved(`the mark of ${from.kind}/${from.id} at ${to.kind}/${to.id} has changed`);
}
