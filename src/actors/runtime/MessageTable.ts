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
  keyOf,
  OF_MESSAGE,
  type SenderCursor,
} from "./messageSql.ts";
import type { MessageId, MessageRow, Outgoing } from "./messages.ts";

interface Stored extends KeyRow {
  message: string;
  created_at: number;
  attempts: number;
  unreached: number;
}

/** Calls that turns have committed and that are not known to have reached their actors. A row is its owner's to deliver. */
export class MessageTable {
  readonly #database: Database;
  readonly #nodeId: string;

  constructor(database: Database, nodeId: string) {
    this.#database = database;
    this.#nodeId = nodeId;
  }

  /** Actors that this node has something to tell, in the order of their addresses from `after` (exclusive) on. */
  async targets(after: ActorAddress, limit: number): Promise<ActorAddress[]> {
    const rows = await this.#database.query<{ target_kind: string; target_id: string }>(
      `SELECT target_kind, target_id FROM actor_tells WHERE owner = ? AND ${afterAddress("target_kind", "target_id")}
       GROUP BY owner, target_kind, target_id ORDER BY target_kind, target_id LIMIT ?`,
      [this.#nodeId, ...afterAddressParams(after), limit],
    );
    return rows.map((row) => ({ kind: row.target_kind, id: row.target_id }));
  }

  /** Actors that have told `target` something that is this node's to deliver, in the order of their addresses. */
  async sendersTo(target: ActorAddress, after: ActorAddress, limit: number): Promise<ActorAddress[]> {
    const rows = await this.#database.query<ActorAddress>(
      `SELECT kind, id FROM actor_tells WHERE owner = ? AND target_kind = ? AND target_id = ? AND ${afterAddress("kind", "id")}
       GROUP BY owner, target_kind, target_id, kind, id ORDER BY kind, id LIMIT ?`,
      [this.#nodeId, target.kind, target.id, ...afterAddressParams(after), limit],
    );
    return rows.map(({ kind, id }) => ({ kind, id }));
  }

  /**
   * What these actors have told `target`, whoever's rows they are: what an earlier owner has committed goes before what is this
   * node's. In order for each sender, and one sender after the other; `after` is exclusive.
   */
  async of(target: ActorAddress, senders: readonly SenderCursor[], limit: number): Promise<MessageRow[]> {
    const { where, params } = afterCursors(senders);
    const rows = await this.#database.query<Stored>(
      `SELECT kind, id, version, idx, message, created_at, attempts, unreached FROM actor_tells
       WHERE target_kind = ? AND target_id = ? AND ${where} ORDER BY kind, id, version, idx LIMIT ?`,
      [target.kind, target.id, ...params, limit],
    );
    return rows.map((row) => ({
      ...idOf(row),
      to: target,
      message: row.message,
      createdAt: Number(row.created_at),
      attempts: Number(row.attempts),
      unreached: Number(row.unreached),
      isRepeat: true,
    }));
  }

  /** Notes how often one was tried in vain, and why the last time. */
  async failed(row: MessageRow, error: string): Promise<void> {
    await this.#database.write(
      `UPDATE actor_tells SET attempts = ?, unreached = ?, error = ? WHERE owner = ? AND ${OF_MESSAGE}`,
      [row.attempts, row.unreached, error, this.#nodeId, ...keyOf(row)],
    );
  }

  delete(ids: readonly MessageId[]): Promise<void> {
    return deleteMessages(this.#database, "actor_tells", this.#nodeId, ids);
  }

  /** Takes a page of a dead node's messages over. */
  adopt(from: string): Promise<Adopted> {
    return adoptMessages(this.#database, "actor_tells", from, this.#nodeId);
  }
}

const INSERT_MESSAGES =
  "INSERT INTO actor_tells (kind, id, version, idx, owner, target_kind, target_id, message, created_at, attempts) VALUES";

/** Adds a turn's messages to its transaction, as its owner's. */
export async function addMessages(
  sql: Sql,
  owner: string,
  sender: ActorAddress & { version: number },
  messages: Outgoing["messages"],
  now: number,
): Promise<MessageRow[]> {
  if (messages.length === 0) return [];
  const { kind, id, version } = sender;
  await sql.write(
    `${INSERT_MESSAGES} ${messages.map(() => "(?, ?, ?, ?, ?, ?, ?, ?, ?, 0)").join(", ")}`,
    messages.flatMap(({ index, to, message }) => [kind, id, version, index, owner, to.kind, to.id, message, now]),
  );
  const untried = { createdAt: now, attempts: 0, unreached: 0, isRepeat: false };
  return messages.map((message) => ({ kind, id, version, ...message, ...untried }));
}
