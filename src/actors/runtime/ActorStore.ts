import type { Database, Sql, Transaction } from "../../entities/sql.ts";
import type { TimerRecord } from "./timers.ts";

/** Names one actor. */
export interface ActorAddress {
  kind: string;
  id: string;
}

/** An actor's row as it was claimed: from here on the claimer is its owner. */
export interface ClaimedRow extends ActorAddress {
  epoch: number;
  version: number;
  /** JSON text. */
  state: string;
  timers: TimerRecord[];
  crashes: number;
}

/** What one turn leaves behind; all of it is stored, or none. */
export interface TurnWrites {
  state: string;
  timers: readonly TimerRecord[];
  dueAt: number | null;
  /** Messages for the outbox, JSON text each. */
  outbox: readonly string[];
  /** The answer to a request with an id, JSON text. */
  response: { requestId: string; text: string } | undefined;
  /** The activation has lived long enough that earlier crashes no longer count against the actor. */
  healthy: boolean;
  now: number;
}

export interface OutboxRow {
  seq: number;
  message: string;
}

/**
 * `crashes` tells how much suspicion rests on an actor. Whoever lived on a node that died shares it, up to this: from here on
 * an actor's count is raised before it is loaded and before each of its turns, and lowered afterwards, so that only the one
 * in whose hands the process dies is left with more.
 */
export const CRASHES_SHARED = 2;
/** An actor with this many has crashed its first node and three that adopted it: it is left alone until an operator pardons it. */
export const CRASHES_TO_QUARANTINE = 4;

/** The row has another epoch or version: this node does not own the actor any more, or does not know its latest turn. */
export class Fenced extends Error {}

interface StoredRow {
  kind: string;
  id: string;
  owner: string | null;
  epoch: number;
  version: number;
  state: string;
  timers: string;
  due_at: number | null;
  crashes: number;
}

/** Outbox rows read or adopted at once. */
const OUTBOX_PAGE = 500;

const COLUMNS = "kind, id, owner, epoch, version, state, timers, due_at, crashes";

/** The runtime's tables. Every write of a turn begins with the epoch-and-version check. */
export class ActorStore {
  readonly #database: Database;
  readonly #nodeId: string;

  constructor(database: Database, nodeId: string) {
    this.#database = database;
    this.#nodeId = nodeId;
  }

  async find(address: ActorAddress): Promise<(ClaimedRow & { owner: string | null }) | undefined> {
    const [row] = await this.#database.query<StoredRow>(`SELECT ${COLUMNS} FROM actors WHERE kind = ? AND id = ?`, [
      address.kind,
      address.id,
    ]);
    return row && { ...claimed(row), owner: row.owner };
  }

  /** Makes the actor's row, owned by this node. False when somebody else was first. */
  async create(address: ActorAddress, state: string, now: number): Promise<boolean> {
    const ignore = this.#database.dialect === "mysql" ? "INSERT IGNORE" : "INSERT OR IGNORE";
    const { affected } = await this.#database.write(
      `${ignore} INTO actors (${COLUMNS}, created_at, updated_at) VALUES (?, ?, ?, 1, 0, ?, '[]', NULL, 0, ?, ?)`,
      [address.kind, address.id, this.#nodeId, state, now, now],
    );
    return affected === 1;
  }

  /**
   * Takes the actor over from whom `seen` says: nobody, a dead node, or an earlier activation on this node. Undefined when the
   * row has changed since it was seen. `crashed`: its node died with it.
   */
  async claim(seen: ClaimedRow, crashed: boolean, now: number): Promise<ClaimedRow | undefined> {
    const { affected } = await this.#database.write(
      `UPDATE actors SET owner = ?, epoch = epoch + 1, crashes = ${blamed(crashed)}, updated_at = ? WHERE kind = ? AND id = ? AND epoch = ? AND version = ?`,
      [this.#nodeId, now, seen.kind, seen.id, seen.epoch, seen.version],
    );
    return affected === 1 ? afterClaim(seen, crashed) : undefined;
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
      const crashed = owner !== null && owner !== this.#nodeId;
      await tx.write(
        `UPDATE actors SET owner = ?, epoch = epoch + 1, crashes = ${blamed(crashed)}, updated_at = ? WHERE (kind, id) IN (${pairs(rows)})`,
        [this.#nodeId, now, ...flat(rows)],
      );
      return rows.map((row) => afterClaim(claimed(row), crashed));
    });
  }

  /**
   * Frees up to `limit` actors of a node that died, so that they are not looked for under its name for ever; rows that
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
        await tx.write(`UPDATE actors SET owner = NULL, crashes = ${blamed(true)} WHERE ${where}`, flat(rows));
      }
      return rows.length;
    });
  }

  /** Gives up ownership where the epoch still is this owner's; others may claim at once. */
  async release(rows: ReadonlyArray<ActorAddress & { epoch: number }>): Promise<void> {
    if (rows.length === 0) return;
    const list = rows.map(() => "(?, ?, ?)").join(", ");
    await this.#database.write(
      `UPDATE actors SET owner = NULL WHERE (kind, id, epoch) IN (${list})`,
      rows.flatMap((row) => [row.kind, row.id, row.epoch]),
    );
  }

  /** Frees all that this node id owned in an earlier life, which crashed. (The embedded node keeps its id over restarts.) */
  async releaseAll(): Promise<void> {
    await this.#database.write(`UPDATE actors SET owner = NULL, crashes = ${blamed(true)} WHERE owner = ?`, [
      this.#nodeId,
    ]);
  }

  /** Every node id that owns an actor or has something in its outbox; reads the two indexes only. */
  async owners(): Promise<string[]> {
    const rows = await this.#database.query<{ owner: string }>(
      "SELECT DISTINCT owner FROM actors WHERE owner IS NOT NULL UNION SELECT DISTINCT owner FROM actor_outbox",
    );
    return rows.map((row) => row.owner);
  }

  /** Whether the row still is this owner's: what an owner without a valid lease asks before it answers from memory. */
  async holds(row: ActorAddress & { epoch: number }): Promise<boolean> {
    const rows = await this.#database.query(
      "SELECT 1 FROM actors WHERE kind = ? AND id = ? AND epoch = ? AND owner = ?",
      [row.kind, row.id, row.epoch, this.#nodeId],
    );
    return rows.length === 1;
  }

  /** Writes down that the process is now in this actor's hands; throws Fenced when the actor is another node's. */
  async accuse(row: ClaimedRow): Promise<void> {
    await this.fenced(this.#database, "UPDATE actors SET crashes = ?", [row.crashes + 1], row, row.version);
  }

  /** The process has come out of this actor's hands alive. */
  async acquit(row: ClaimedRow): Promise<void> {
    await this.fenced(this.#database, "UPDATE actors SET crashes = ?", [row.crashes], row, row.version);
  }

  /** Earlier crashes no longer count against these actors; lifts a quarantine. */
  async pardon(addresses: readonly ActorAddress[]): Promise<void> {
    if (addresses.length === 0) return;
    await this.#database.write(
      `UPDATE actors SET crashes = 0 WHERE (kind, id) IN (${pairs(addresses)})`,
      flat(addresses),
    );
  }

  /** The stored answer to a request id, JSON text. */
  async response(address: ActorAddress, requestId: string): Promise<string | undefined> {
    const [row] = await this.#database.query<{ response: string }>(
      "SELECT response FROM actor_requests WHERE kind = ? AND id = ? AND request_id = ?",
      [address.kind, address.id, requestId],
    );
    return row?.response;
  }

  begin(): Promise<Transaction> {
    return this.#database.begin();
  }

  /** The fence at the head of a turn's transaction: locks the row in this version, or throws Fenced. */
  async fence(tx: Transaction, row: ClaimedRow): Promise<void> {
    await this.fenced(tx, "UPDATE actors SET version = version + 1", [], row, row.version);
  }

  /** Whether a turn's writes go into one statement, which needs no transaction of its own. */
  isSingleStatement(writes: TurnWrites): boolean {
    return writes.outbox.length === 0 && writes.response === undefined;
  }

  /** A whole turn in one statement, the fence included. */
  async commitSingle(row: ClaimedRow, writes: TurnWrites): Promise<void> {
    await this.fenced(
      this.#database,
      `UPDATE actors SET version = version + 1, ${SET_TURN}`,
      setTurn(row, writes),
      row,
      row.version,
    );
  }

  /**
   * Writes a turn into its transaction: as its first statement (then this is the fence), or at the end of one whose fence has
   * raised the version already. Returns the outbox rows with their ids.
   */
  async write(tx: Transaction, row: ClaimedRow, writes: TurnWrites, fencedAlready: boolean): Promise<OutboxRow[]> {
    if (fencedAlready)
      await this.fenced(tx, `UPDATE actors SET ${SET_TURN}`, setTurn(row, writes), row, row.version + 1);
    else
      await this.fenced(
        tx,
        `UPDATE actors SET version = version + 1, ${SET_TURN}`,
        setTurn(row, writes),
        row,
        row.version,
      );
    if (writes.response) {
      await tx.write("INSERT INTO actor_requests (kind, id, request_id, response, created_at) VALUES (?, ?, ?, ?, ?)", [
        row.kind,
        row.id,
        writes.response.requestId,
        writes.response.text,
        writes.now,
      ]);
    }
    return writes.outbox.length === 0 ? [] : this.#writeOutbox(tx, writes.outbox);
  }

  async #writeOutbox(tx: Transaction, messages: readonly string[]): Promise<OutboxRow[]> {
    const { insertId } = await tx.write(
      `INSERT INTO actor_outbox (owner, message) VALUES ${messages.map(() => "(?, ?)").join(", ")}`,
      messages.flatMap((message) => [this.#nodeId, message]),
    );
    return messages.map((message, at) => ({ seq: insertId + at, message }));
  }

  /**
   * Runs an UPDATE that must match the row in exactly this epoch and version, and not freed: from then on anybody may claim it,
   * lease or not, so that who would go on with it could answer reads from a memory that is not the latest.
   */
  protected async fenced(
    sql: Sql,
    update: string,
    params: readonly unknown[],
    row: ClaimedRow,
    version: number,
  ): Promise<void> {
    const { affected } = await sql.write(
      `${update} WHERE kind = ? AND id = ? AND epoch = ? AND version = ? AND owner = ?`,
      [...params, row.kind, row.id, row.epoch, version, this.#nodeId],
    );
    if (affected !== 1)
      throw new Fenced(`${row.kind}/${row.id} is not at epoch ${row.epoch}, version ${version} any more`);
  }

  /** A page of this node's undelivered messages from `after` (exclusive) on, in the order committed. */
  async outboxOf(after: number): Promise<OutboxRow[]> {
    const rows = await this.#database.query<OutboxRow>(
      "SELECT seq, message FROM actor_outbox WHERE owner = ? AND seq > ? ORDER BY seq LIMIT ?",
      [this.#nodeId, after, OUTBOX_PAGE],
    );
    return rows.map(({ seq, message }) => ({ seq: Number(seq), message }));
  }

  /** Takes a page of a dead node's undelivered messages over. Returns how many rows were its; 0 means that none are left. */
  async adoptOutbox(from: string): Promise<number> {
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

  async deleteOutbox(seqs: readonly number[]): Promise<void> {
    if (seqs.length === 0) return;
    await this.#database.write(`DELETE FROM actor_outbox WHERE seq IN (${seqs.map(() => "?").join(", ")})`, seqs);
  }
}

/** What becomes of an actor's count of crashes when it loses its node. */
const blamed = (crashed: boolean): string =>
  crashed ? `CASE WHEN crashes < ${CRASHES_SHARED} THEN crashes + 1 ELSE crashes END` : "crashes";

function afterClaim(seen: ClaimedRow, crashed: boolean): ClaimedRow {
  const crashes = crashed && seen.crashes < CRASHES_SHARED ? seen.crashes + 1 : seen.crashes;
  return { ...seen, epoch: seen.epoch + 1, crashes };
}

const SET_TURN = "state = ?, timers = ?, due_at = ?, crashes = ?, updated_at = ?";

function setTurn(row: ClaimedRow, writes: TurnWrites): unknown[] {
  return [writes.state, JSON.stringify(writes.timers), writes.dueAt, writes.healthy ? 0 : row.crashes, writes.now];
}

function claimed(row: StoredRow): ClaimedRow {
  return {
    kind: row.kind,
    id: row.id,
    epoch: Number(row.epoch),
    version: Number(row.version),
    state: row.state,
    timers: JSON.parse(row.timers) as TimerRecord[],
    crashes: Number(row.crashes),
  };
}

const flat = (rows: readonly ActorAddress[]): string[] => rows.flatMap((row) => [row.kind, row.id]);
const pairs = (rows: readonly ActorAddress[]): string => rows.map(() => "(?, ?)").join(", ");
