import type { Clock, Rng } from "../../clock.ts";
import type { BestEntry } from "../../entities/pools/entries.ts";
import {
  addContribution,
  type Contributed,
  contributionOf,
  ensurePool,
  type FinalisedPool,
  finalisedPools,
  itemsOf,
  latestPool,
  lockPool,
  PERIOD_TYPES,
  type Period,
  type PoolKind,
} from "../../entities/pools/Pool.ts";
import { leaderOf } from "../../entities/pools/Ranking.ts";
import type { ItemAmount } from "../../entities/prizes/PrizeLedger.ts";
import type { Database } from "../../entities/sql.ts";
import { gameById, games } from "../../entities/tournaments/Game.ts";
import { RingmasterError } from "../../errors.ts";
import { idToCreate, type OperatorCall } from "../admin/operatorCall.ts";
import { openPeriod } from "./periods.ts";
import { reading } from "./reading.ts";

/** A pool that is open, and who would win it now. */
export interface OpenPool extends PoolKind, Period {
  items: ItemAmount[];
  leader: { playerId: string; name: string; score: number } | null;
}

export interface PoolOfficePorts {
  database: Database;
  clock: Pick<Clock, "now">;
  rng: Rng;
  /** IANA name, in which days and weeks begin. */
  timezone: string;
}

/** Looking for the leaders reads the last hour's entries; so what was found counts for everybody who asks in this time. */
const FRESH_MS = 2000;

/** Where operators put prizes into pools, and everybody reads of them. */
export class PoolOffice {
  readonly #ports: PoolOfficePorts;
  #open: { at: number; pools: Promise<OpenPool[]> } | undefined;

  constructor(ports: PoolOfficePorts) {
    this.#ports = ports;
  }

  /** The pools of every game that are open, with their leaders as of at most 2 s ago. */
  open(): Promise<OpenPool[]> {
    const now = this.#ports.clock.now();
    if (this.#open && now - this.#open.at < FRESH_MS && now >= this.#open.at) return this.#open.pools;
    const pools = reading(() => this.#readOpen(now));
    this.#open = { at: now, pools };
    pools.catch(() => {
      this.#open = undefined;
    });
    return pools;
  }

  /** The pools that were finalised last, latest first. Throws `not_found` for an unknown game. */
  async finalised(kind: PoolKind, limit: number): Promise<FinalisedPool[]> {
    return reading(async () => {
      await gameById(this.#ports.database, kind.game);
      return finalisedPools(this.#ports.database, kind, limit);
    });
  }

  /**
   * Puts so much of an item into the pool that is open now. With a request id, a repeat is the contribution that the first call
   * made, also when another pool is open by then. Throws `not_found` for an unknown game or item, and `conflict` when the pool has been
   * finalised meanwhile (then the next one is open), or would hold too much.
   */
  async contribute(kind: PoolKind, { item, amount }: ItemAmount, call: OperatorCall): Promise<Contributed> {
    const { database, rng } = this.#ports;
    const id = idToCreate(call, rng);
    return reading(async () => {
      await gameById(database, kind.game);
      const known = await contributionOf(database, kind, id);
      if (known) return known;
      await this.#add(kind, { id, item, amount: BigInt(amount), by: call.operatorId });
      this.#open = undefined;
      return (await contributionOf(database, kind, id))!;
    });
  }

  async #add(kind: PoolKind, contribution: { id: string; item: string; amount: bigint; by: string }): Promise<void> {
    const { clock, database } = this.#ports;
    const now = clock.now();
    const pool = { ...kind, ...(await this.#periodOf(kind, now)) };
    await ensurePool(database, pool);
    await database.transaction(async (tx) => {
      const { isFinalised } = await lockPool(tx, pool);
      if (isFinalised) throw new RingmasterError("conflict", "This pool has been finalised; the next one is open.");
      await addContribution(tx, pool, contribution, now);
    });
  }

  async #readOpen(now: number): Promise<OpenPool[]> {
    const pools: OpenPool[] = [];
    for (const { id: game } of await games(this.#ports.database)) {
      for (const period of PERIOD_TYPES) pools.push(await this.#readOne({ game, period }, now));
    }
    return pools;
  }

  async #readOne(kind: PoolKind, now: number): Promise<OpenPool> {
    const { database } = this.#ports;
    const period = await this.#periodOf(kind, now);
    const [items, best] = [
      await itemsOf(database, { ...kind, ...period }),
      await leaderOf(database, { ...kind, ...period }),
    ];
    return { ...kind, ...period, items, leader: best ? shown(best) : null };
  }

  async #periodOf(kind: PoolKind, now: number): Promise<Period> {
    const { database, timezone } = this.#ports;
    return openPeriod(kind.period, timezone, now, await latestPool(database, kind));
  }
}

function shown({ playerId, name, score }: BestEntry): OpenPool["leader"] {
  return { playerId, name, score };
}
