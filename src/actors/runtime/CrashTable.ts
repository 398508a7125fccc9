import { type Audited, audited } from "../../entities/audit.ts";
import type { Database, Sql } from "../../entities/sql.ts";
import { type ActorAddress, type ClaimedRow, CRASHES_TO_QUARANTINE, flat, pairs } from "./actorRow.ts";
import { actorKey } from "./protocol.ts";

/** How often an actor was in hand when a node died. */
export interface Deaths {
  times: number;
  /** How long it had been in hand at least, in milliseconds, as the records say: Infinity where one does not say it. */
  ageMs: number;
  /** By how much that differed from death to death: little, where it always crashes at the same point. Infinity as above. */
  spreadMs: number;
}

/** An actor that is said to have been in hand for the same time at each death, give or take this, is taken for one that crashes there. */
export const STEADY_MS = 15;

export type Named = ActorAddress & Deaths;

/** Named by a record; `isFresh`: nobody had been let in since. */
export type InRecord = Named & { isFresh: boolean };

/** What a record says of an actor; `ageMs`: for how long it has been in hand. */
export type InHandNow = ActorAddress & { isFresh: boolean; ageMs: number };

/** As a record has it; a node of the version before leaves out the last. */
type NameText = [kind: string, id: string, fresh: number, ageMs?: number];

/** Rows that one statement names. */
const BATCH = 500;

/**
 * What is stored for finding actors that crash their nodes: `actor_in_hand`, a row a process, names the actors that it is in the
 * hands of; `actor_blame` has a row for each actor that was named there when its process died.
 */
export class CrashTable {
  readonly #database: Database;
  readonly #nodeId: string;

  constructor(database: Database, nodeId: string) {
    this.#database = database.of("control");
    this.#nodeId = nodeId;
  }

  /** Writes this node's record; nobody in hand: takes it away. */
  async store(life: string, names: readonly InHandNow[], now: number): Promise<void> {
    if (names.length === 0) return this.#remove(this.#database, life);
    const update =
      this.#database.dialect === "mysql"
        ? "ON DUPLICATE KEY UPDATE life = VALUES(life), actors = VALUES(actors), written_at = VALUES(written_at)"
        : "ON CONFLICT (node_id) DO UPDATE SET life = excluded.life, actors = excluded.actors, written_at = excluded.written_at";
    const actors = JSON.stringify(
      names.map(({ kind, id, isFresh, ageMs }): NameText => [kind, id, isFresh ? 1 : 0, ageMs]),
    );
    await this.#database.write(
      `INSERT INTO actor_in_hand (node_id, life, actors, written_at) VALUES (?, ?, ?, ?) ${update}`,
      [this.#nodeId, life, actors, now],
    );
  }

  async #remove(sql: Sql, life: string): Promise<void> {
    await sql.write("DELETE FROM actor_in_hand WHERE node_id = ? AND life = ?", [this.#nodeId, life]);
  }

  /**
   * A node has died: whoever its record names is blamed, once however many peers do this, and the record goes. Returns those
   * named, with all earlier deaths counted in. `convict` chooses the one that goes into quarantine, if any; what the others were
   * blamed for together with it is taken back.
   */
  async blame(
    nodeId: string,
    convict: (named: readonly InRecord[]) => InRecord | undefined,
    now: number,
  ): Promise<{ named: InRecord[]; convicted: Named | undefined }> {
    // Most nodes have none, and need no transaction.
    const records = await this.#database.query("SELECT 1 FROM actor_in_hand WHERE node_id = ?", [nodeId]);
    if (records.length === 0) return { named: [], convicted: undefined };
    return this.#database.transaction(async (tx) => {
      const locking = tx.dialect === "mysql" ? " FOR UPDATE" : "";
      const [record] = await tx.query<{ life: string; actors: string }>(
        `SELECT life, actors FROM actor_in_hand WHERE node_id = ?${locking}`,
        [nodeId],
      );
      if (!record) return { named: [], convicted: undefined };
      const names = (JSON.parse(record.actors) as NameText[]).map(([kind, id, fresh, ageMs]) => ({
        ...{ kind, id, fresh },
        ageMs: ageMs ?? null,
      }));
      await insertBlame(tx, names, { nodeId, life: record.life }, now);
      const counted = await count(tx, names);
      const fresh = new Set(names.filter((name) => name.fresh).map(actorKey));
      const named = counted.map((name) => ({ ...name, isFresh: fresh.has(actorKey(name)) }));
      const convicted = convict(named);
      if (convicted) await quarantine(tx, convicted);
      await tx.write("DELETE FROM actor_in_hand WHERE node_id = ?", [nodeId]);
      return { named, convicted };
    });
  }

  /** This node's life did not end in a crash, whatever peers took it for: its record goes, and whom they blame for it is not to blame. */
  async forgive(life: string): Promise<void> {
    await this.#database.transaction(async (tx) => {
      await this.#remove(tx, life);
      const blamed = await tx.query<ActorAddress>("SELECT kind, id FROM actor_blame WHERE node_id = ? AND life = ?", [
        this.#nodeId,
        life,
      ]);
      if (blamed.length === 0) return;
      await tx.write("DELETE FROM actor_blame WHERE node_id = ? AND life = ?", [this.#nodeId, life]);
      const convicted = (await count(tx, blamed)).filter(({ times }) => times >= DEATHS_TO_QUARANTINE);
      const kept = new Set(convicted.map(actorKey));
      for (const batch of batches(blamed.filter((address) => !kept.has(actorKey(address)))))
        await tx.write(`UPDATE actors SET crashes = 1 WHERE (kind, id) IN (${pairs(batch)}) AND crashes >= ?`, [
          ...flat(batch),
          CRASHES_TO_QUARANTINE,
        ]);
    });
  }

  /** In how many nodes' hands each of these was when they died, by key; those in nobody's are left out. */
  async deathsOf(addresses: readonly ActorAddress[]): Promise<Map<string, Deaths>> {
    const named = await count(this.#database, addresses);
    return new Map(named.map((each) => [actorKey(each), each]));
  }

  /**
   * Up to `limit` actors that are blamed for this many deaths or more, those with the most first. Reads no blame of others: of so many rows of an actor, the last one that came has at least this `nth`, also when earlier ones have gone.
   */
  async blamedFor(times: number, limit: number): Promise<Named[]> {
    const rows = await this.#database.query<CountedRow>(
      `SELECT blame.kind AS kind, blame.id AS id, ${COUNTED}
       FROM (SELECT DISTINCT kind, id FROM actor_blame WHERE nth >= ?) again
       JOIN actor_blame blame ON blame.kind = again.kind AND blame.id = again.id
       GROUP BY blame.kind, blame.id HAVING COUNT(*) >= ? ORDER BY COUNT(*) DESC LIMIT ?`,
      [times, times, limit],
    );
    return rows.map(namedOf);
  }

  /**
   * These actors have lived here long enough, and are not to blame. Returns for whom that is stored: not for those whose row a turn
   * has locked, since what waits for it would keep the others' turns waiting, nor for those that live elsewhere by now.
   */
  async acquit(rows: readonly ClaimedRow[]): Promise<ActorAddress[]> {
    const acquitted: ActorAddress[] = [];
    for (const batch of batches(rows)) {
      await this.#database.transaction(async (tx) => {
        const locking = tx.dialect === "mysql" ? " FOR UPDATE SKIP LOCKED" : "";
        const free = await tx.query<ActorAddress>(
          `SELECT kind, id FROM actors WHERE (kind, id, epoch) IN (${batch.map(() => "(?, ?, ?)").join(", ")}) AND owner = ?${locking}`,
          [...batch.flatMap(({ kind, id, epoch }) => [kind, id, epoch]), this.#nodeId],
        );
        if (free.length === 0) return;
        await tx.write(`UPDATE actors SET crashes = 0 WHERE (kind, id) IN (${pairs(free)})`, flat(free));
        await tx.write(`DELETE FROM actor_blame WHERE (kind, id) IN (${pairs(free)})`, flat(free));
        acquitted.push(...free);
      });
    }
    return acquitted;
  }

  /** Lifts a quarantine, and forgets earlier crashes. */
  async pardon({ kind, id }: ActorAddress, by: Audited, now: number): Promise<void> {
    await this.#database.transaction(async (tx) => {
      await audited(tx, by, now);
      await tx.write("DELETE FROM actor_blame WHERE kind = ? AND id = ?", [kind, id]);
      await tx.write("UPDATE actors SET crashes = 0 WHERE kind = ? AND id = ?", [kind, id]);
    });
  }
}

/** An actor in whose hands this many processes died, and that is the only such one in the last of them, goes into quarantine. */
export const DEATHS_TO_QUARANTINE = 3;

type CountedRow = ActorAddress & { times: number; dated: number; least: number | null; most: number | null };

/** Columns of a `CountedRow`. */
const COUNTED = "COUNT(*) AS times, COUNT(age_ms) AS dated, MIN(age_ms) AS least, MAX(age_ms) AS most";

const namedOf = ({ kind, id, times, dated, least, most }: CountedRow): Named => {
  const isDated = Number(dated) === Number(times);
  const ageMs = isDated ? Number(least) : Number.POSITIVE_INFINITY;
  const spreadMs = isDated ? Number(most) - Number(least) : Number.POSITIVE_INFINITY;
  return { kind, id, times: Number(times), ageMs, spreadMs };
};

async function count(sql: Sql, addresses: readonly ActorAddress[]): Promise<Named[]> {
  const named: Named[] = [];
  for (const batch of batches(addresses)) {
    const rows = await sql.query<CountedRow>(
      `SELECT kind, id, ${COUNTED} FROM actor_blame WHERE (kind, id) IN (${pairs(batch)}) GROUP BY kind, id`,
      flat(batch),
    );
    named.push(...rows.map(namedOf));
  }
  return named;
}

/** Blames these for one more death, once however often this is done for the same one. */
async function insertBlame(
  tx: Sql,
  names: ReadonlyArray<ActorAddress & { fresh: number; ageMs: number | null }>,
  { nodeId, life }: { nodeId: string; life: string },
  now: number,
): Promise<void> {
  const before = new Map((await count(tx, names)).map((named) => [actorKey(named), named.times]));
  const known = tx.dialect === "mysql" ? "ON DUPLICATE KEY UPDATE life = life" : "ON CONFLICT DO NOTHING";
  for (const batch of batches(names))
    await tx.write(
      `INSERT INTO actor_blame (kind, id, node_id, life, fresh, age_ms, nth, blamed_at)
       VALUES ${batch.map(() => "(?, ?, ?, ?, ?, ?, ?, ?)").join(", ")} ${known}`,
      batch.flatMap((name) => {
        const nth = (before.get(actorKey(name)) ?? 0) + 1;
        return [name.kind, name.id, nodeId, life, name.fresh, name.ageMs, nth, now];
      }),
    );
}

/** The actor stays blamed for its own deaths, so that one of them can still turn out to be none. */
async function quarantine(tx: Sql, { kind, id }: ActorAddress): Promise<void> {
  await tx.write("UPDATE actors SET crashes = ? WHERE kind = ? AND id = ?", [CRASHES_TO_QUARANTINE, kind, id]);
  const deaths = await tx.query<{ node_id: string; life: string }>(
    "SELECT node_id, life FROM actor_blame WHERE kind = ? AND id = ?",
    [kind, id],
  );
  for (const { node_id, life } of deaths)
    await tx.write("DELETE FROM actor_blame WHERE node_id = ? AND life = ? AND NOT (kind = ? AND id = ?)", [
      node_id,
      life,
      kind,
      id,
    ]);
}

function* batches<T>(all: readonly T[]): Generator<T[]> {
  for (let at = 0; at < all.length; at += BATCH) yield all.slice(at, at + BATCH);
}
