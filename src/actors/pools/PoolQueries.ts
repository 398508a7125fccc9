import type { Clock, Rng } from "../../clock.ts";
import { audited } from "../../entities/audit.ts";
import { databaseTime } from "../../entities/databaseTime.ts";
import type { BestEntry } from "../../entities/pools/entries.ts";
import { leadersOf } from "../../entities/pools/leaders.ts";
import { itemsOfEach, latestPool, latestPools } from "../../entities/pools/openPools.ts";
import {
  addContribution,
  type Contributed,
  type Contribution,
  contributionOf,
  ensurePool,
  type FinalisedPool,
  finalisedPools,
  lockPool,
  PERIOD_TYPES,
  type Period,
  type PoolKind,
} from "../../entities/pools/Pool.ts";
import type { ItemAmount } from "../../entities/prizes/PrizeLedger.ts";
import type { Database, Sql } from "../../entities/sql.ts";
import { gameById, games, signOf } from "../../entities/tournaments/Game.ts";
import { decimalOf } from "../../entities/tournaments/precision.ts";
import { RingmasterError } from "../../errors.ts";
import { about, idToCreate, type OperatorCall } from "../admin/operatorCall.ts";
import { openPeriod } from "./periods.ts";
import { reading } from "./reading.ts";
import { SharedRead } from "./SharedRead.ts";

/** A pool that is open, and who would win it now. */
export interface OpenPool extends PoolKind, Period {
  items: ItemAmount[];
  leader: { playerId: string; name: string; score: number } | null;
}

export interface PoolQueriesPorts {
  database: Sql & Pick<Database, "transaction">;
  clock: Pick<Clock, "now">;
  rng: Rng;
  /** IANA name, in which days and weeks begin. */
  timezone: string;
}

/** Looking for the leaders reads the last hour's entries; so what was found counts for everybody who asks in this time after it. */
const FRESH_MS = 2000;

/** Where operators put prizes into pools, and everybody reads of them. */
export class PoolQueries {
  readonly #ports: PoolQueriesPorts;
  readonly #open: SharedRead<OpenPool[]>;

  constructor(ports: PoolQueriesPorts) {
    this.#ports = ports;
    this.#open = new SharedRead({ clock: ports.clock, freshMs: FRESH_MS, read: () => reading(() => this.#readOpen()) });
  }

  /** The pools of every game that are open, with their leaders, as they were read within the last 2 s. */
  open(): Promise<OpenPool[]> {
    return this.#open.get();
  }

  /** The pools that were finalised last, latest first. Throws `not_found` for an unknown game. */
  async finalised(kind: PoolKind, limit: number): Promise<FinalisedPool[]> {
    return reading(async () => {
      const { precision } = await gameById(this.#ports.database, kind.game);
      const pools = await finalisedPools(this.#ports.database, kind, limit);
      return pools.map((pool) => ({ ...pool, winner: pool.winner && shown(pool.winner, precision) }));
    });
  }

  /**
   * Puts so much of an item into the pool that is open now. With a request id, a repeat is the contribution that the first call
   * made, also when another pool is open by then. Throws `not_found` for an unknown game or item, and `conflict` when the pool has been
   * finalised meanwhile (then the next one is open), or would hold too much.
   */
  async contribute(kind: PoolKind, { item, amount }: ItemAmount, call: OperatorCall): Promise<Contributed> {
    const { database, rng } = this.#ports;
    // The same id for another pool is another contribution.
    const requestId = call.requestId === undefined ? undefined : `${kind.game}:${kind.period}\n${call.requestId}`;
    const id = idToCreate({ ...call, requestId }, rng);
    return reading(async () => {
      await gameById(database, kind.game);
      const known = await contributionOf(database, kind, id);
      if (known) return known;
      const made = await this.#add(kind, { id, item, amount: BigInt(amount), by: call.operatorId }, call);
      this.#open.clear();
      return made;
    });
  }

  async #add(kind: PoolKind, contribution: Contribution, call: OperatorCall): Promise<Contributed> {
    const { database, timezone } = this.#ports;
    const { latest, now } = await latestPool(database, kind);
    const pool = { ...kind, ...openPeriod(kind.period, timezone, now, latest) };
    await ensurePool(database, pool);
    return database.transaction(async (tx) => {
      const { isFinalised } = await lockPool(tx, pool);
      if (isFinalised) throw new RingmasterError("conflict", "This pool has been finalised; the next one is open.");
      await addContribution(tx, pool, contribution, now);
      await audited(tx, about(call, `pool:${kind.game}/${kind.period}`), now);
      // Read before the commit: what is stored must not be told as failed. A call of the same key may have been first; then it is that one's.
      return (await contributionOf(tx, kind, contribution.id))!;
    });
  }

  async #readOpen(): Promise<OpenPool[]> {
    const { database, timezone } = this.#ports;
    const now = await databaseTime(database);
    const all = await games(database);
    const kinds = all.flatMap(({ id: game }) => PERIOD_TYPES.map((period) => ({ game, period })));
    const signs = new Map(all.map(({ id, order }) => [id, signOf(order)]));
    const precisions = new Map(all.map(({ id, precision }) => [id, precision]));
    const latest = await latestPools(database, kinds, now);
    const pools = kinds.map((kind, at) => ({ ...kind, ...openPeriod(kind.period, timezone, now, latest[at]) }));
    const [items, leaders] = [await itemsOfEach(database, pools), await leadersOf(database, pools, signs)];
    return pools.map((pool, at) => {
      const leader = leaders[at] ? shown(leaderOf(leaders[at]), precisions.get(pool.game)!) : null;
      return { ...pool, items: items[at]!, leader };
    });
  }
}

function leaderOf({ playerId, name, score }: BestEntry) {
  return { playerId, name, score };
}

/** With the score as clients read it. */
function shown<T extends { score: number }>(winner: T, precision: number): T {
  return { ...winner, score: decimalOf(winner.score, precision) };
}
