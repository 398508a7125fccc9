import assert from "node:assert/strict";
import type { Database } from "../../src/entities/sql.ts";
import { Cluster, sooner } from "./support.ts";

export interface ActorRow {
  id: string;
  owner: string | null;
  epoch: number;
  version: number;
  crashes: number;
}

export interface Effect {
  actor: string;
  name: string;
  seq: number;
  node: string;
  /** Epoch milliseconds. */
  at: number;
}

/** What took effect, as the rows of `effects` tell it. */
export class History {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The rows of all actors, by id. */
  async actors(kind = "counter"): Promise<Map<string, ActorRow>> {
    const rows = await this.#database.query<ActorRow>(
      "SELECT id, owner, epoch, version, crashes FROM actors WHERE kind = ? ORDER BY id",
      [kind],
    );
    return new Map(rows.map((row) => [row.id, row]));
  }

  /** How many actors each node owns. */
  async owned(): Promise<Record<string, number>> {
    const rows = await this.#database.query<{ owner: string; n: number }>(
      "SELECT owner, COUNT(*) AS n FROM actors WHERE owner IS NOT NULL GROUP BY owner",
    );
    return Object.fromEntries(rows.map(({ owner, n }) => [owner, Number(n)]));
  }

  effects(where = "1 = 1", params: readonly unknown[] = []): Promise<Effect[]> {
    return this.#database.query<Effect>(`SELECT actor, name, seq, node, at FROM effects WHERE ${where}`, params);
  }

  /** Effects that happened more than once. */
  doubles(): Promise<{ actor: string; name: string; seq: number; times: number }[]> {
    return this.#database.query(
      "SELECT actor, name, seq, COUNT(*) AS times FROM effects GROUP BY actor, name, seq HAVING COUNT(*) > 1",
    );
  }

  /** Transactions of this cluster that have written and are still open. */
  async openWrites(): Promise<number> {
    const [row] = await this.#database.query<{ n: number }>(
      `SELECT COUNT(*) AS n FROM information_schema.INNODB_TRX AS trx
       JOIN information_schema.PROCESSLIST AS client ON client.ID = trx.trx_mysql_thread_id
       WHERE trx_rows_modified > 0 AND client.DB = DATABASE()`,
    );
    return Number(row!.n);
  }

  /** Messages that were committed and are not known to be delivered. */
  async undelivered(): Promise<number> {
    const [row] = await this.#database.query<{ n: number }>(
      "SELECT (SELECT COUNT(*) FROM actor_tells) + (SELECT COUNT(*) FROM actor_events) AS n",
    );
    return Number(row!.n);
  }

  /** Every firing so far of every actor took effect once, and none is missing before the last one. */
  async assertTicksAreWhole(actors: readonly string[]): Promise<void> {
    const rows = await this.#database.query<{ actor: string; n: number; top: number; bottom: number }>(
      "SELECT actor, COUNT(*) AS n, MAX(seq) AS top, MIN(seq) AS bottom FROM effects WHERE name = 'tick' GROUP BY actor",
    );
    assert.deepEqual(rows.map(({ actor }) => actor).sort(), [...actors].sort(), "every actor has ticked");
    assert.deepEqual(await this.doubles(), [], "nothing took effect twice");
    const broken = rows.filter(({ n, top, bottom }) => Number(bottom) !== 1 || Number(n) !== Number(top));
    assert.deepEqual(broken, [], "no firing is missing");
  }

  /** The number of each actor's last firing. */
  async lastTicks(): Promise<Map<string, number>> {
    const rows = await this.#database.query<{ actor: string; top: number }>(
      "SELECT actor, MAX(seq) AS top FROM effects WHERE name = 'tick' GROUP BY actor",
    );
    return new Map(rows.map(({ actor, top }) => [actor, Number(top)]));
  }

  /** Waits until each actor has fired `more` times more than it had when this was called. */
  async untilTicked(actors: readonly string[], more: number): Promise<void> {
    const before = await this.lastTicks();
    await sooner(`each of ${actors.length} actors fires ${more} times more`, async () => {
      const now = await this.lastTicks();
      return actors.every((actor) => (now.get(actor) ?? 0) >= (before.get(actor) ?? 0) + more);
    });
  }
}

/** Opens a cluster, and closes it once `work` has ended. */
export async function withCluster(
  options: { ttlMs?: number },
  work: (cluster: Cluster, history: History) => Promise<void>,
): Promise<void> {
  const cluster = await Cluster.open(options);
  try {
    await work(cluster, new History(cluster.database));
  } finally {
    await cluster.close();
  }
}

/** `name0`, `name1`, … */
export const named = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, at) => `${name}${at}`);

/** The longest time that passed between two effects in a row, in milliseconds. */
export function longestPause(effects: readonly Effect[]): number {
  const times = effects.map(({ at }) => at).sort((a, b) => a - b);
  return Math.max(0, ...times.slice(1).map((at, index) => at - times[index]!));
}

/** The longest pause of any actor's timer, in milliseconds. */
export function longestPauseOfAny(ticks: readonly Effect[]): number {
  const byActor = Map.groupBy(ticks, ({ actor }) => actor);
  return Math.max(0, ...[...byActor.values()].map(longestPause));
}
