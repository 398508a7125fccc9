import type { Clock } from "../../clock.ts";
import { type Audited, audited } from "../../entities/audit.ts";
import type { Database, Transaction } from "../../entities/sql.ts";
import { RingmasterError } from "../../errors.ts";
import type { ActorAddress } from "./actorRow.ts";
import { readMark, writeMark } from "./MarkTable.ts";
import { isDone, marked, withGap } from "./marks.ts";
import { idOf, type KeyRow, keyOf, OF_MESSAGE } from "./messageSql.ts";
import type { MessageBody, MessageId, MessageRow } from "./messages.ts";

/** A message that could not be delivered, as operators see it. What it carries is not shown: it may be secret. */
export interface DeadLetter {
  /** The turn that told it: under this it is replayed or discarded. */
  from: MessageId;
  to: ActorAddress;
  method: string;
  /** Epoch milliseconds. */
  createdAt: number;
  diedAt: number;
  /** How often it has failed in the receiver's hands, and how often it could not reach them. */
  attempts: number;
  unreached: number;
  /** What the last attempt failed with. */
  error: string;
}

interface LetterRow extends KeyRow {
  target_kind: string;
  target_id: string;
  message: string;
  created_at: number;
  attempts: number;
  unreached: number;
  error: string;
  died_at: number;
}

/**
 * `buried`: it is a dead letter now. `done`: its receiver has had it. `moved`: it is not this node's any more. `full`: its
 * receiver has as many gaps of this sender as there may be.
 */
export type Burial = "buried" | "done" | "moved" | "full";

const COLUMNS = "kind, id, version, idx, target_kind, target_id, message, created_at, attempts, unreached, error";
/** What is kept of an error, in characters. */
const LONGEST_ERROR = 4096;

/** Tells that could not be delivered. Each is a gap in its receiver's mark, so that it may still come, under its old key. */
export class DeadLetters {
  readonly #database: Database;
  readonly #nodeId: string;
  readonly #clock: Clock;
  readonly #onBuried: (kind: string) => void;
  #onReplay: () => void = () => {};

  /** `onBuried` is told the receiver's kind. */
  constructor(ports: { database: Database; nodeId: string; clock: Clock; onBuried: (kind: string) => void }) {
    this.#database = ports.database.of("control");
    this.#nodeId = ports.nodeId;
    this.#clock = ports.clock;
    this.#onBuried = ports.onBuried;
  }

  /** `listener` is called when messages of this node have come into the table. */
  onReplay(listener: () => void): void {
    this.#onReplay = listener;
  }

  /** Takes a message of this node out of what is delivered; from then on its lane goes on without it. */
  async bury(row: MessageRow, error: string): Promise<Burial> {
    const end = await this.#database.transaction(async (tx): Promise<Burial> => {
      const mark = await readMark(tx, row.to, row, true);
      const gone = `DELETE FROM actor_tells WHERE owner = ? AND ${OF_MESSAGE}`;
      const after = withGap(mark, row);
      if (after === undefined) return "full";
      if ((await tx.write(gone, [this.#nodeId, ...keyOf(row)])).affected !== 1) return "moved";
      if (isDone(mark, row)) return "done";
      const now = this.#clock.now();
      await writeMark(tx, { to: row.to, from: row }, { before: mark, after }, now);
      await tx.write(
        `INSERT INTO actor_dead_letters (${COLUMNS}, died_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        [
          ...keyOf(row),
          row.to.kind,
          row.to.id,
          row.message,
          row.createdAt,
          row.attempts,
          row.unreached,
          error.slice(0, LONGEST_ERROR),
          now,
        ],
      );
      return "buried";
    });
    if (end === "buried") this.#onBuried(row.to.kind);
    return end;
  }

  /** Newest first. */
  async list(limit: number): Promise<DeadLetter[]> {
    const rows = await this.#database.query<LetterRow>(
      `SELECT ${COLUMNS}, died_at FROM actor_dead_letters ORDER BY died_at DESC LIMIT ?`,
      [limit],
    );
    return rows.map((row) => ({
      from: idOf(row),
      to: { kind: row.target_kind, id: row.target_id },
      method: (JSON.parse(row.message) as MessageBody).method,
      createdAt: Number(row.created_at),
      diedAt: Number(row.died_at),
      attempts: Number(row.attempts),
      unreached: Number(row.unreached),
      error: row.error,
    }));
  }

  /** Delivers one again, under its old key. Throws `not_found` when there is none by this id. */
  async replay(id: MessageId, by: Audited = {}): Promise<void> {
    await this.#database.transaction(async (tx) => {
      const row = await this.#take(tx, id);
      await audited(tx, by, this.#clock.now());
      await tx.write(
        `INSERT INTO actor_tells (kind, id, version, idx, owner, target_kind, target_id, message, created_at, attempts)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)`,
        [...keyOf(id), this.#nodeId, row.target_kind, row.target_id, row.message, this.#clock.now()],
      );
    });
    this.#onReplay();
  }

  /** It will never be delivered. Throws `not_found` when there is none by this id. */
  async discard(id: MessageId, by: Audited = {}): Promise<void> {
    await this.#database.transaction(async (tx) => {
      const row = await this.#take(tx, id);
      await audited(tx, by, this.#clock.now());
      const to = { kind: row.target_kind, id: row.target_id };
      const mark = await readMark(tx, to, id, true);
      if (mark === undefined || isDone(mark, id)) return;
      await writeMark(tx, { to, from: id }, { before: mark, after: marked(mark, id) }, this.#clock.now());
    });
  }

  async #take(tx: Transaction, id: MessageId): Promise<LetterRow> {
    const locking = tx.dialect === "mysql" ? " FOR UPDATE" : "";
    const [row] = await tx.query<LetterRow>(
      `SELECT ${COLUMNS}, died_at FROM actor_dead_letters WHERE ${OF_MESSAGE}${locking}`,
      keyOf(id),
    );
    if (!row) throw new RingmasterError("not_found", "There is no such dead letter.");
    await tx.write(`DELETE FROM actor_dead_letters WHERE ${OF_MESSAGE}`, keyOf(id));
    return row;
  }
}
