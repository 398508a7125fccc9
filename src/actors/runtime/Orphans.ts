import type { Database } from "../../entities/sql.ts";
import {
  type ActorAddress,
  afterClaim,
  blamed,
  type ClaimedRow,
  COLUMNS,
  CRASHES_TO_QUARANTINE,
  claimed,
  flat,
  pairs,
  type StoredRow,
} from "./actorRow.ts";

/** Actors that live nowhere, as the table tells it: nobody's, a dead node's, or this node's own without its knowledge. */
export class Orphans {
  readonly #database: Database;
  readonly #nodeId: string;
  readonly #hasDied: (nodeId: string) => boolean;

  /** `hasDied`: whether who lived on a node that is gone may have been its death; it may as well have lost only the database. */
  constructor(database: Database, nodeId: string, hasDied: (nodeId: string) => boolean) {
    this.#hasDied = hasDied;
    this.#database = database.of("control");
    this.#nodeId = nodeId;
  }

  /**
   * Actors of `owner` (null: of nobody) that have a timer due from `dueFrom` to `dueBy`, soonest first, without those in
   * quarantine. Reads an index, and the rows that it returns.
   */
  async dueOf(
    owner: string | null,
    dueFrom: number,
    dueBy: number,
    limit: number,
  ): Promise<Array<ActorAddress & { dueAt: number }>> {
    const rows = await this.#database.query<StoredRow>(
      `SELECT kind, id, due_at FROM actors WHERE owner ${owner === null ? "IS NULL" : "= ?"} AND due_at >= ? AND due_at <= ?
       AND crashes < ? ORDER BY due_at LIMIT ?`,
      [...(owner === null ? [] : [owner]), dueFrom, dueBy, CRASHES_TO_QUARANTINE, limit],
    );
    return rows.map((row) => ({ kind: row.kind, id: row.id, dueAt: Number(row.due_at) }));
  }

  /** Takes over those of `addresses` that still are `owner`'s, in one transaction; rows that somebody else has locked are left out. */
  async adopt(addresses: readonly ActorAddress[], owner: string | null, now: number): Promise<ClaimedRow[]> {
    return this.#database.transaction(async (tx) => {
      const locking = tx.dialect === "mysql" ? " FOR UPDATE SKIP LOCKED" : "";
      const rows = await tx.query<StoredRow>(
        `SELECT ${COLUMNS} FROM actors WHERE (kind, id) IN (${pairs(addresses)}) AND owner ${owner === null ? "IS NULL" : "= ?"}
         AND crashes < ?${locking}`,
        [...flat(addresses), ...(owner === null ? [] : [owner]), CRASHES_TO_QUARANTINE],
      );
      if (rows.length === 0) return [];
      const crashed = owner !== null && owner !== this.#nodeId && this.#hasDied(owner);
      await tx.write(
        `UPDATE actors SET owner = ?, epoch = epoch + 1, crashes = ${blamed(crashed)}, updated_at = ? WHERE (kind, id) IN (${pairs(rows)})`,
        [this.#nodeId, now, ...flat(rows)],
      );
      return rows.map((row) => afterClaim(claimed(row), crashed));
    });
  }

  /**
   * Frees up to `limit` actors of a node that is gone, so that they are not looked for under its name for ever; rows that
   * somebody else has locked are left out. Returns how many.
   */
  async freeFrom(owner: string, limit: number): Promise<number> {
    return this.#database.transaction(async (tx) => {
      const locking = tx.dialect === "mysql" ? " FOR UPDATE SKIP LOCKED" : "";
      const rows = await tx.query<ActorAddress>(`SELECT kind, id FROM actors WHERE owner = ? LIMIT ?${locking}`, [
        owner,
        limit,
      ]);
      if (rows.length > 0) {
        const where = `(kind, id) IN (${pairs(rows)})`;
        await tx.write(
          `UPDATE actors SET owner = NULL, crashes = ${blamed(this.#hasDied(owner))} WHERE ${where}`,
          flat(rows),
        );
      }
      return rows.length;
    });
  }

  /** Every node id that owns an actor or has something to deliver; reads the indexes only. */
  async owners(): Promise<string[]> {
    const rows = await this.#database.query<{ owner: string }>(
      `SELECT DISTINCT owner FROM actors WHERE owner IS NOT NULL UNION SELECT DISTINCT owner FROM actor_events
       UNION SELECT DISTINCT owner FROM actor_tells UNION SELECT DISTINCT owner FROM actor_outbox`,
    );
    return rows.map((row) => row.owner);
  }
}
