import type { Database, Transaction } from "../../entities/sql.ts";

export interface OutboxRow {
  seq: number;
  message: string;
}

/** Outbox rows read or adopted at once. */
const OUTBOX_PAGE = 500;

/** What turns have committed for others to hear and is not delivered yet. A row is its owner's to deliver. */
export class OutboxTable {
  readonly #database: Database;
  readonly #nodeId: string;

  constructor(database: Database, nodeId: string) {
    this.#database = database.of("control");
    this.#nodeId = nodeId;
  }

  /** A page of this node's undelivered messages from `after` (exclusive) on, in the order committed. */
  async page(after: number): Promise<OutboxRow[]> {
    const rows = await this.#database.query<OutboxRow>(
      "SELECT seq, message FROM actor_outbox WHERE owner = ? AND seq > ? ORDER BY seq LIMIT ?",
      [this.#nodeId, after, OUTBOX_PAGE],
    );
    return rows.map(({ seq, message }) => ({ seq: Number(seq), message }));
  }

  /** Takes a page of a dead node's undelivered messages over. Returns how many rows were its; 0 means that none are left. */
  async adopt(from: string): Promise<number> {
    const rows = await this.#database.query<{ seq: number }>(
      "SELECT seq FROM actor_outbox WHERE owner = ? ORDER BY seq LIMIT ?",
      [from, OUTBOX_PAGE],
    );
    if (rows.length === 0) return 0;
    const ids = rows.map((row) => row.seq);
    await this.#database.write(
      `UPDATE actor_outbox SET owner = ? WHERE owner = ? AND seq IN (${ids.map(() => "?").join(", ")})`,
      [this.#nodeId, from, ...ids],
    );
    return rows.length;
  }

  async delete(seqs: readonly number[]): Promise<void> {
    if (seqs.length === 0) return;
    await this.#database.write(`DELETE FROM actor_outbox WHERE seq IN (${seqs.map(() => "?").join(", ")})`, seqs);
  }
}

/** Adds messages, JSON text each, to a turn's transaction. Returns their rows. */
export async function addToOutbox(tx: Transaction, owner: string, messages: readonly string[]): Promise<OutboxRow[]> {
  const { insertId } = await tx.write(
    `INSERT INTO actor_outbox (owner, message) VALUES ${messages.map(() => "(?, ?)").join(", ")}`,
    messages.flatMap((message) => [owner, message]),
  );
  return messages.map((message, at) => ({ seq: insertId + at, message }));
}
