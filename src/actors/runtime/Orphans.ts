import { databaseMicrosIn } from "../../entities/databaseTime.ts";
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

/** An actor with a timer that is due. */
export interface DueActor extends ActorAddress {
  slot: number;
  dueAt: number;
}

/** Which of an owner's actors are read. */
export interface DueRange {
  /** Ascending; undefined: all. */
  slots: readonly number[] | undefined;
  dueBy: number;
  /** The last one of the page before. */
  after: DueActor | undefined;
  limit: number;
}

/** What is to be known of a node before its actors are taken over. */
interface OrphanPorts {
  /** Whether who lived on a node that is gone may have been its death; it may as well have lost only the database. */
  hasDied(nodeId: string): boolean;
  /** Whether this node's code knows states of this one's version. */
  knows(row: ClaimedRow): boolean;
  /** Blames those in whose hands it died. */
  judge(nodeId: string): Promise<void>;
}

/** Actors that live nowhere, as the table tells it: nobody's, a dead node's, or this node's own without its knowledge. */
export class Orphans {
  readonly #database: Database;
  readonly #nodeId: string;
  readonly #ports: OrphanPorts;

  constructor(database: Database, nodeId: string, ports: OrphanPorts) {
    this.#database = database.of("control");
    this.#nodeId = nodeId;
    this.#ports = ports;
  }

  /**
   * A page of the actors of `owner` (null: of nobody) that have a timer due by `dueBy`, without those in quarantine, in the order of
   * slots, due times and keys: that of the index, of which only these entries are read. Takes no lock, and waits for none.
   */
  async dueOf(owner: string | null, { slots, dueBy, after, limit }: DueRange): Promise<DueActor[]> {
    const left = after && slots ? slots.filter((slot) => slot >= after.slot) : slots;
    const where = [owner === null ? "owner IS NULL" : "owner = ?", "due_at <= ?", "crashes < ?"];
    const params: unknown[] = [...(owner === null ? [] : [owner]), dueBy, CRASHES_TO_QUARANTINE];
    if (left) where.push(`slot IN (${left.map(Number).join(", ")})`);
    if (after) {
      if (!left) {
        where.push("slot >= ?");
        params.push(after.slot);
      }
      where.push("(slot, due_at, kind, id) > (?, ?, ?, ?)");
      params.push(after.slot, after.dueAt, after.kind, after.id);
    }
    const rows = await this.#database.query<StoredRow & { slot: number }>(
      `SELECT kind, id, slot, due_at FROM actors${this.#bySlot} WHERE ${where.join(" AND ")}
       ORDER BY slot, due_at, kind, id LIMIT ?`,
      [...params, limit],
    );
    return rows.map((row) => ({ kind: row.kind, id: row.id, slot: Number(row.slot), dueAt: Number(row.due_at) }));
  }

  /** MariaDB would read all rows of the slots at hand by the primary key where most of the table is nobody's. */
  get #bySlot(): string {
    return this.#database.dialect === "mysql" ? " FORCE INDEX (actors_slot)" : "";
  }

  /**
   * Takes over those of `addresses` that still are `owner`'s, in one transaction; rows that somebody else has locked are left out, and those
   * whose state is of a version that this node does not know.
   */
  async adopt(addresses: readonly ActorAddress[], owner: string | null, now: number): Promise<ClaimedRow[]> {
    const crashed = owner !== null && owner !== this.#nodeId && this.#ports.hasDied(owner);
    if (crashed) await this.#ports.judge(owner);
    return this.#database.transaction(async (tx) => {
      const locking = tx.dialect === "mysql" ? " FOR UPDATE SKIP LOCKED" : "";
      const found = await tx.query<StoredRow>(
        `SELECT ${COLUMNS}, ${databaseMicrosIn(tx.dialect)} AS read_at FROM actors WHERE (kind, id) IN (${pairs(addresses)}) AND owner ${owner === null ? "IS NULL" : "= ?"}
         AND crashes < ?${locking}`,
        [...flat(addresses), ...(owner === null ? [] : [owner]), CRASHES_TO_QUARANTINE],
      );
      const rows = found.filter((row) => this.#ports.knows(claimed(row)));
      if (rows.length === 0) return [];
      const since = Number(rows[0]!.read_at);
      const version = `CASE WHEN version < ? THEN ? ELSE version END`;
      await tx.write(
        `UPDATE actors SET owner = ?, epoch = epoch + 1, version = ${version}, crashes = ${blamed(crashed)}, updated_at = ?
         WHERE (kind, id) IN (${pairs(rows)})`,
        [this.#nodeId, since, since, now, ...flat(rows)],
      );
      return rows.map((row) => afterClaim(claimed(row), crashed, since));
    });
  }

  /**
   * Frees up to `limit` actors of a node that is gone, of these slots (undefined: of all), so that they are not looked for under its
   * name for ever; rows that somebody else has locked are left out. Returns how many.
   */
  async freeFrom(owner: string, slots: readonly number[] | undefined, limit: number): Promise<number> {
    if (slots?.length === 0) return 0;
    if (this.#ports.hasDied(owner)) await this.#ports.judge(owner);
    return this.#database.transaction(async (tx) => {
      const locking = tx.dialect === "mysql" ? " FOR UPDATE SKIP LOCKED" : "";
      const ofSlots = slots ? ` AND slot IN (${slots.map(Number).join(", ")})` : "";
      const rows = await tx.query<ActorAddress>(
        `SELECT kind, id FROM actors${this.#bySlot} WHERE owner = ?${ofSlots} LIMIT ?${locking}`,
        [owner, limit],
      );
      if (rows.length > 0) {
        const where = `(kind, id) IN (${pairs(rows)})`;
        await tx.write(
          `UPDATE actors SET owner = NULL, crashes = ${blamed(this.#ports.hasDied(owner))} WHERE ${where}`,
          flat(rows),
        );
      }
      return rows.length;
    });
  }

  /** Whether any actor is this node's, locked or not. */
  async ownsAny(nodeId: string): Promise<boolean> {
    const rows = await this.#database.query("SELECT 1 FROM actors WHERE owner = ? LIMIT 1", [nodeId]);
    return rows.length > 0;
  }

  /** Every node id that owns an actor or has something to deliver; reads an entry of an index for each of them. */
  async owners(): Promise<string[]> {
    const rows = await this.#database.query<{ owner: string }>(
      `SELECT DISTINCT owner FROM actors WHERE owner IS NOT NULL UNION SELECT DISTINCT owner FROM actor_events
       UNION SELECT DISTINCT owner FROM actor_tells UNION SELECT DISTINCT owner FROM actor_outbox`,
    );
    return rows.map((row) => row.owner);
  }
}
