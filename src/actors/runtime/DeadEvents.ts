import type { Clock } from "../../clock.ts";
import { type Audited, audited, noteUnknown } from "../../entities/audit.ts";
import type { Database } from "../../entities/sql.ts";
import { RingmasterError } from "../../errors.ts";
import type { Feed } from "../../stores/feeds/Feed.ts";
import { idOf, type KeyRow, keyOf, OF_MESSAGE } from "./messageSql.ts";
import { type EventMessage, type MessageId, messageKey } from "./messages.ts";

/** An event that its feed has refused until it was given up, as operators see it. Its data are not shown: they may be secret. */
export interface DeadEvent {
  /** The turn that published it: under this it is replayed or discarded. */
  from: MessageId;
  topic: string;
  type: string;
  /** Epoch milliseconds. */
  createdAt: number;
  diedAt: number;
  attempts: number;
  /** What the last attempt failed with. */
  error: string;
}

interface DeadEventRow extends KeyRow {
  message: string;
  attempts: number;
  error: string;
  died_at: number;
}

const COLUMNS = "kind, id, version, idx, message, attempts, error, died_at";
/** What is kept of an error, in characters. */
const LONGEST_ERROR = 4096;

/** Events that their feed refused. The later ones of their actors are in the feed, so that a replayed one comes after them. */
export class DeadEvents {
  readonly #database: Database;
  readonly #nodeId: string;
  readonly #feed: Feed;
  readonly #clock: Clock;
  readonly #onBuried: () => void;

  constructor(ports: { database: Database; nodeId: string; feed: Feed; clock: Clock; onBuried: () => void }) {
    this.#database = ports.database.of("control");
    this.#nodeId = ports.nodeId;
    this.#feed = ports.feed;
    this.#clock = ports.clock;
    this.#onBuried = ports.onBuried;
  }

  /** Takes an event of this node out of what is published. `moved`: it is another node's by now. */
  async bury(
    id: MessageId,
    message: EventMessage,
    why: { attempts: number; error: string },
  ): Promise<"buried" | "moved"> {
    const isBuried = await this.#database.transaction(async (tx) => {
      const gone = `DELETE FROM actor_events WHERE owner = ? AND ${OF_MESSAGE}`;
      if ((await tx.write(gone, [this.#nodeId, ...keyOf(id)])).affected !== 1) return false;
      const { attempts, error } = why;
      await tx.write(`INSERT INTO actor_dead_events (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, [
        ...keyOf(id),
        JSON.stringify(message),
        attempts,
        error.slice(0, LONGEST_ERROR),
        this.#clock.now(),
      ]);
      return true;
    });
    if (isBuried) this.#onBuried();
    return isBuried ? "buried" : "moved";
  }

  /** Counts an event whose burial was not answered, if it is a dead letter. */
  async countIfDead(id: MessageId): Promise<void> {
    if (await this.has(id)) this.#onBuried();
  }

  /** Newest first. */
  async list(limit: number): Promise<DeadEvent[]> {
    const rows = await this.#database.query<DeadEventRow>(
      `SELECT ${COLUMNS} FROM actor_dead_events ORDER BY died_at DESC LIMIT ?`,
      [limit],
    );
    return rows.map((row) => {
      const { topic, at, event } = JSON.parse(row.message) as EventMessage;
      const [diedAt, attempts] = [Number(row.died_at), Number(row.attempts)];
      return { from: idOf(row), topic, type: event.type, createdAt: at, diedAt, attempts, error: row.error };
    });
  }

  async has(id: MessageId): Promise<boolean> {
    return (await this.#find(id)) !== undefined;
  }

  /**
   * Publishes it now, after what its actor has published since: by its key, since its position has been passed. Rejects with what the
   * feed refuses it with, and with `not_found` when there is none by this id; then it is as it was.
   */
  async replay(id: MessageId, by: Audited = {}): Promise<void> {
    const row = await this.#find(id);
    if (!row) throw notFound();
    // The feed is no part of a transaction: what is published is in the audit before it is, as something that may have happened.
    if (by.audit) await noteUnknown(this.#database, by.audit, this.#clock.now());
    const { topic, at, event } = JSON.parse(row.message) as EventMessage;
    await this.#feed.append([{ key: messageKey(id), topic, at, ...event }]);
    await this.discard(id, by);
  }

  /** It will never be published. Throws `not_found` when there is none by this id. */
  async discard(id: MessageId, by: Audited = {}): Promise<void> {
    await this.#database.transaction(async (tx) => {
      const { affected } = await tx.write(`DELETE FROM actor_dead_events WHERE ${OF_MESSAGE}`, keyOf(id));
      if (affected === 0) throw notFound();
      await audited(tx, by, this.#clock.now());
    });
  }

  async #find(id: MessageId): Promise<DeadEventRow | undefined> {
    const [row] = await this.#database.query<DeadEventRow>(
      `SELECT ${COLUMNS} FROM actor_dead_events WHERE ${OF_MESSAGE}`,
      keyOf(id),
    );
    return row;
  }
}

const notFound = (): RingmasterError => new RingmasterError("not_found", "There is no such dead letter.");
