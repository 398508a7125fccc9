import { type Audited, audited } from "../../entities/audit.ts";
import { databaseMicrosIn } from "../../entities/databaseTime.ts";
import { edgeError } from "../../entities/failures.ts";
import type { Database, Sql, Transaction } from "../../entities/sql.ts";
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
import { readMark, writeMark } from "./MarkTable.ts";
import { addMessages } from "./MessageTable.ts";
import { deleteBlank, deleteRow, type FirstWrites, makeRow } from "./madeRows.ts";
import type { Mark } from "./marks.ts";
import { NOTHING_STORED, type Outgoing, type Stored } from "./messages.ts";
import { addEvents } from "./OutboxEvents.ts";
import { actorKey } from "./protocol.ts";
import type { TurnOrigin } from "./TurnGate.ts";
import { failingAt, soonestDue, type TimerRecord } from "./timers.ts";

/** What one turn leaves behind; all of it is stored, or none. */
export interface TurnWrites extends Audited {
  /** JSON text; undefined: as it was. */
  state: string | undefined;
  timers: readonly TimerRecord[];
  dueAt: number | null;
  outgoing: Outgoing;
  /** The turn is what `from` told the actor: its mark of it, as it was read before the turn, and as it is from then on. */
  heard: { from: ActorAddress; before: Mark | undefined; after: Mark } | undefined;
  /** The actor ends with this turn: its row goes. */
  isDestroyed: boolean;
  /** The answer to a request with an id, JSON text. */
  response: { requestId: string; digest: string; text: string } | undefined;
  now: number;
}

/** A row as it was looked up: its owner, and when that was, by the database's clock, in microseconds. */
export interface FoundRow extends ClaimedRow {
  owner: string | null;
  readAt: number;
}

/** Rows whose timers are kept at once by connections of the control plane, of which there are few. */
const MOST_KEPT = 16;

/** What came of keeping how timers fare. `moved`: a turn has committed meanwhile, and stored it, or the actor has another owner. */
export type Kept = "kept" | "moved" | "locked";

/** The row has another epoch or version: this node does not own the actor any more, or does not know its latest turn. */
export class Fenced extends Error {}

/** The rows of actors, from their first owner to the next. Every write of a turn begins with the epoch-and-version check. */
export class ActorStore {
  /** Who owns which actor is asked and said beside the turns, and waits for none of them. */
  readonly #control: Database;
  readonly #turns: Database;
  /** The turns' connections as well, where timers do not stand before callers. */
  readonly #timers: Database;
  readonly #nodeId: string;
  /** Rows whose timers are being kept by the control plane's connections. */
  #kept = 0;

  constructor(database: Database, nodeId: string) {
    this.#control = database.of("control");
    this.#turns = database.of("turns");
    this.#timers = database.of("timers");
    this.#nodeId = nodeId;
  }

  async find({ kind, id }: ActorAddress): Promise<FoundRow | undefined> {
    const [row] = await this.#control.query<StoredRow>(
      `SELECT ${COLUMNS}, ${databaseMicrosIn(this.#control.dialect)} AS read_at FROM actors WHERE kind = ? AND id = ?`,
      [kind, id],
    );
    return row && { ...claimed(row), owner: row.owner, readAt: Number(row.read_at) };
  }

  /** Whether the actor's row is there. */
  async exists({ kind, id }: ActorAddress): Promise<boolean> {
    return (await this.#control.query("SELECT 1 FROM actors WHERE kind = ? AND id = ?", [kind, id])).length === 1;
  }

  /**
   * Takes the actor over from whom `seen` says: nobody, a dead node, or an earlier activation on this node. Undefined when the
   * row has changed since it was seen, or is in quarantine by now, or somebody has it locked: the transaction of a node that is gone
   * may hold its lock for seconds. `crashed`: its node died with it. Its version goes on from the database's time, as that of a new row
   * begins there: a database that has gone back must not have turns counted again whose messages are in a feed.
   */
  async claim(seen: FoundRow, crashed: boolean, now: number): Promise<ClaimedRow | undefined> {
    const row = afterClaim(seen, crashed, seen.readAt);
    const set = `owner = ?, epoch = epoch + 1, version = ?, crashes = ${blamed(crashed)}, updated_at = ?`;
    const asSeen = "kind = ? AND id = ? AND epoch = ? AND version = ? AND crashes < ?";
    const is = [seen.kind, seen.id, seen.epoch, seen.version, CRASHES_TO_QUARANTINE];
    const change = { set, values: [this.#nodeId, row.version, now], where: asSeen, is };
    return (await changeUnlocked(this.#control, change)) ? row : undefined;
  }

  /**
   * Gives up ownership where the row still is this owner's; others may claim at once. Waits for no lock: returns the rows that are
   * this node's yet because somebody else has them locked.
   */
  async release(rows: readonly ClaimedRow[]): Promise<ClaimedRow[]> {
    if (rows.length === 0) return [];
    const freed = await this.#control.transaction(async (tx) => {
      const unlocked = await this.#owned(tx, rows, tx.dialect === "mysql" ? " FOR UPDATE SKIP LOCKED" : "");
      const blank = unlocked.filter(({ isBlank }) => isBlank);
      if (blank.length > 0) await deleteBlank(tx, blank);
      if (unlocked.length > 0)
        await tx.write(`UPDATE actors SET owner = NULL WHERE (kind, id) IN (${pairs(unlocked)})`, flat(unlocked));
      return unlocked;
    });
    const done = new Set(freed);
    const left = rows.filter((row) => !done.has(row));
    return left.length === 0 ? [] : this.#owned(this.#control, left, "");
  }

  /** Those of these rows that are this owner's, in this epoch. */
  async #owned(sql: Sql, rows: readonly ClaimedRow[], locking: string): Promise<ClaimedRow[]> {
    const found = await sql.query<ActorAddress>(
      `SELECT kind, id FROM actors WHERE (kind, id, epoch) IN (${rows.map(() => "(?, ?, ?)").join(", ")}) AND owner = ?${locking}`,
      [...rows.flatMap((row) => [row.kind, row.id, row.epoch]), this.#nodeId],
    );
    const keys = new Set(found.map(actorKey));
    return rows.filter((row) => keys.has(actorKey(row)));
  }

  /** Frees all that this node id owned in an earlier life, which crashed. (The embedded node keeps its id over restarts.) */
  async releaseAll(): Promise<void> {
    await this.#control.write(`UPDATE actors SET owner = NULL, crashes = ${blamed(true)} WHERE owner = ?`, [
      this.#nodeId,
    ]);
  }

  /**
   * Whether the row still is this owner's, or is not there yet: what an owner without a valid lease, or of nothing, asks before it
   * answers from memory.
   */
  async holds(row: ClaimedRow): Promise<boolean> {
    if (row.isNew) return !(await this.exists(row));
    const rows = await this.#control.query(
      "SELECT 1 FROM actors WHERE kind = ? AND id = ? AND epoch = ? AND owner = ?",
      [row.kind, row.id, row.epoch, this.#nodeId],
    );
    return rows.length === 1;
  }

  /**
   * Stores how timers fare that have failed. No turn: the version stays, for nothing else has changed, and one whose answer is lost
   * may be stored again. Waits for no lock: what was given up may still hold the row's. `by`: the timers' connections, or those of the
   * control plane where the timers' may all be held up; by these a few at a time, beyond which it rejects.
   */
  async keepTimers(
    row: ClaimedRow,
    version: number,
    timers: readonly TimerRecord[],
    by: "timers" | "control",
  ): Promise<Kept> {
    if (by === "timers") return this.#keepTimers(this.#timers, row, version, timers);
    if (this.#kept >= MOST_KEPT) throw edgeError("POOL_FULL", `how ${MOST_KEPT} timers fare is being stored`);
    this.#kept += 1;
    try {
      return await this.#keepTimers(this.#control, row, version, timers);
    } finally {
      this.#kept -= 1;
    }
  }

  async #keepTimers(sql: Sql, row: ClaimedRow, version: number, timers: readonly TimerRecord[]): Promise<Kept> {
    const where = "kind = ? AND id = ? AND epoch = ? AND version = ? AND owner = ?";
    const is = [row.kind, row.id, row.epoch, version, this.#nodeId];
    const values = [JSON.stringify(timers), soonestDue(timers), failingAt(timers)];
    if (await changeUnlocked(sql, { set: "timers = ?, due_at = ?, failing_at = ?", values, where, is })) return "kept";
    return (await sql.query(`SELECT 1 FROM actors WHERE ${where}`, is)).length === 0 ? "moved" : "locked";
  }

  /** The stored answer to a request id, JSON text, and what it was used for, where that is known. */
  async response(
    address: ActorAddress,
    requestId: string,
  ): Promise<{ response: string; digest: string | null } | undefined> {
    const [row] = await this.#turns.query<{ response: string; digest: string | null }>(
      "SELECT response, digest FROM actor_requests WHERE kind = ? AND id = ? AND request_id = ?",
      [address.kind, address.id, requestId],
    );
    return row;
  }

  /** What the actor has had from `sender`. */
  mark(address: ActorAddress, sender: ActorAddress): Promise<Mark | undefined> {
    return readMark(this.#turns, address, sender);
  }

  begin(origin: TurnOrigin): Promise<Transaction> {
    return this.#for(origin).begin();
  }

  #for(origin: TurnOrigin): Database {
    return origin === "timer" ? this.#timers : this.#turns;
  }

  /** The fence at the head of a turn's transaction: locks the row in this version, which a new one is made for, or throws Fenced. */
  async fence(tx: Transaction, row: ClaimedRow, now: number): Promise<void> {
    if (row.isNew) return this.make(tx, row, { state: row.state, timers: [], dueAt: null, now });
    await this.fenced(tx, "UPDATE actors SET version = version + 1", [], row, row.version);
  }

  /** Whether a turn's writes go into one statement, which needs no transaction of its own. */
  isSingleStatement(writes: TurnWrites): boolean {
    const { outgoing, heard, response, audit, isDestroyed } = writes;
    const isAlone = heard === undefined && response === undefined && audit === undefined && !isDestroyed;
    return isAlone && outgoing.events.length + outgoing.messages.length === 0;
  }

  /** A whole turn in one statement, the fence included. */
  async commitSingle(row: ClaimedRow, writes: TurnWrites, origin: TurnOrigin): Promise<void> {
    if (row.isNew) return this.make(this.#for(origin), row, { ...writes, state: writes.state ?? row.state });
    await this.fenced(
      this.#for(origin),
      `UPDATE actors SET version = version + 1, ${setTurn(writes)}`,
      turnValues(writes, row),
      row,
      row.version,
    );
  }

  /**
   * Writes a turn into its transaction: as its first statement (then this is the fence), or at the end of one whose fence has
   * raised the version already. Throws MarkMoved when the turn's mark is not what it was.
   */
  async write(tx: Transaction, row: ClaimedRow, writes: TurnWrites, fencedAlready: boolean): Promise<Stored> {
    await this.#writeRow(tx, row, writes, fencedAlready);
    if (writes.response) {
      const { requestId, digest, text } = writes.response;
      await tx.write(
        "INSERT INTO actor_requests (kind, id, request_id, digest, response, created_at) VALUES (?, ?, ?, ?, ?, ?)",
        [row.kind, row.id, requestId, digest, text, writes.now],
      );
    }
    const { heard, outgoing, now } = writes;
    await audited(tx, writes, now);
    if (heard) await writeMark(tx, { to: row, from: heard.from }, heard, now);
    return outgoing.events.length + outgoing.messages.length === 0
      ? NOTHING_STORED
      : this.#send(tx, row, outgoing, now);
  }

  async #writeRow(tx: Transaction, row: ClaimedRow, writes: TurnWrites, fencedAlready: boolean): Promise<void> {
    const [set, values] = [setTurn(writes), turnValues(writes, row)];
    if (writes.isDestroyed) {
      if (!fencedAlready) await this.fence(tx, row, writes.now);
      await deleteRow(tx, row);
    } else if (fencedAlready) await this.fenced(tx, `UPDATE actors SET ${set}`, values, row, row.version + 1);
    else if (row.isNew) await this.make(tx, row, { ...writes, state: writes.state ?? row.state });
    else await this.fenced(tx, `UPDATE actors SET version = version + 1, ${set}`, values, row, row.version);
  }

  /**
   * Makes the row of an actor that has none before its first turn: work of that turn, and not of the few connections that claims and
   * sweeps have. Undefined when somebody else was first.
   */
  async create(row: ClaimedRow, now: number): Promise<ClaimedRow | undefined> {
    const version = await makeRow(this.#turns, this.#nodeId, row, { state: row.state, timers: [], dueAt: null, now });
    return version === undefined ? undefined : { ...row, version, isBlank: true };
  }

  /** Makes the row of an actor that has none, as the turn leaves it that gets its version. Throws Fenced when somebody else was first. */
  async make(sql: Sql, row: ClaimedRow, writes: FirstWrites): Promise<void> {
    const version = await makeRow(sql, this.#nodeId, row, writes);
    if (version === undefined) throw new Fenced(`${row.kind}/${row.id} has been made by another node`);
    row.version = version - 1;
  }

  /** Adds messages under the version that this turn gives the actor. */
  async #send(tx: Transaction, row: ClaimedRow, { events, messages }: Outgoing, now: number): Promise<Stored> {
    const hasBacklog = row.hasNoBacklog !== true && (await this.#hasBacklog(tx, row));
    // Whatever comes later is this activation's, and known here.
    row.hasNoBacklog = !hasBacklog;
    const sender = { kind: row.kind, id: row.id, version: row.version + 1 };
    return {
      events: await addEvents(tx, this.#nodeId, sender, events),
      messages: await addMessages(tx, this.#nodeId, sender, messages, now),
      hasBacklog,
    };
  }

  /** Whether messages that the actor has sent before are in the tables: an earlier owner's, or an earlier activation's. */
  async #hasBacklog(tx: Transaction, { kind, id }: ActorAddress): Promise<boolean> {
    const [row] = await tx.query<{ backlog: number }>(
      `SELECT EXISTS (SELECT 1 FROM actor_events WHERE kind = ? AND id = ?)
           OR EXISTS (SELECT 1 FROM actor_tells WHERE kind = ? AND id = ?) AS backlog`,
      [kind, id, kind, id],
    );
    return Number(row!.backlog) === 1;
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
}

/** Changes an actor's row where that is as `where` says and nobody has it locked. Waits for no lock. Returns whether it did. */
async function changeUnlocked(
  sql: Sql,
  { set, values, where, is }: { set: string; values: readonly unknown[]; where: string; is: readonly unknown[] },
): Promise<boolean> {
  const { affected } =
    sql.dialect === "mysql"
      ? await sql.write(
          `UPDATE (SELECT kind, id FROM actors WHERE ${where} FOR UPDATE SKIP LOCKED) seen
           STRAIGHT_JOIN actors FORCE INDEX FOR JOIN (PRIMARY) ON actors.kind = seen.kind AND actors.id = seen.id SET ${set}`,
          [...is, ...values],
        )
      : await sql.write(`UPDATE actors SET ${set} WHERE ${where}`, [...values, ...is]);
  return affected === 1;
}

/** A state that has not changed is not sent. */
function setTurn({ state }: TurnWrites): string {
  return `${state === undefined ? "" : "state = ?, state_version = ?, "}timers = ?, due_at = ?, failing_at = ?, updated_at = ?`;
}

function turnValues({ state, timers, dueAt, now }: TurnWrites, { stateVersion }: ClaimedRow): unknown[] {
  return [...(state === undefined ? [] : [state, stateVersion]), JSON.stringify(timers), dueAt, failingAt(timers), now];
}
