import type { Database, Sql } from "../../entities/sql.ts";
import type { ActorAddress } from "./actorRow.ts";
import {
  type Adopted,
  adoptMessages,
  afterAddress,
  afterAddressParams,
  afterCursors,
  deleteMessages,
  idOf,
  type KeyRow,
  type SenderCursor,
} from "./messageSql.ts";
import type { EventRow, MessageId, Outgoing } from "./messages.ts";

/** Events that turns have committed and that are in no feed yet. A row is its owner's to deliver. */
export class OutboxEvents {
  readonly #database: Database;
  readonly #nodeId: string;

  constructor(database: Database, nodeId: string) {
    this.#database = database;
    this.#nodeId = nodeId;
  }

  /** Actors that have undelivered events here, in the order of their addresses from `after` (exclusive) on. */
  async senders(after: ActorAddress, limit: number): Promise<ActorAddress[]> {
    const rows = await this.#database.query<ActorAddress>(
      `SELECT kind, id FROM actor_events WHERE owner = ? AND ${afterAddress("kind", "id")}
       GROUP BY owner, kind, id ORDER BY kind, id LIMIT ?`,
      [this.#nodeId, ...afterAddressParams(after), limit],
    );
    return rows.map(({ kind, id }) => ({ kind, id }));
  }

  /**
   * Undelivered events of these actors, whoever's rows they are: what an earlier owner has committed goes before what is this
   * node's. In order for each actor, and one actor after the other; `after` is exclusive.
   */
  async of(senders: readonly SenderCursor[], limit: number): Promise<EventRow[]> {
    const { where, params } = afterCursors(senders);
    const rows = await this.#database.query<KeyRow & { message: string }>(
      `SELECT kind, id, version, idx, message FROM actor_events WHERE ${where} ORDER BY kind, id, version, idx LIMIT ?`,
      [...params, limit],
    );
    return rows.map((row) => ({ ...idOf(row), message: row.message }));
  }

  delete(ids: readonly MessageId[]): Promise<void> {
    return deleteMessages(this.#database, "actor_events", this.#nodeId, ids);
  }

  /** Takes a page of a dead node's events over. */
  adopt(from: string): Promise<Adopted> {
    return adoptMessages(this.#database, "actor_events", from, this.#nodeId);
  }
}

/** Adds a turn's events to its transaction, as its owner's. */
export async function addEvents(
  sql: Sql,
  owner: string,
  sender: ActorAddress & { version: number },
  events: Outgoing["events"],
): Promise<EventRow[]> {
  if (events.length === 0) return [];
  const { kind, id, version } = sender;
  await sql.write(
    `INSERT INTO actor_events (kind, id, version, idx, owner, message) VALUES ${events.map(() => "(?, ?, ?, ?, ?, ?)").join(", ")}`,
    events.flatMap(({ index, message }) => [kind, id, version, index, owner, message]),
  );
  return events.map((event) => ({ kind, id, version, ...event }));
}
