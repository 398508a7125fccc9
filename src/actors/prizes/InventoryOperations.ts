import type { Clock, Rng } from "../../clock.ts";
import { audited } from "../../entities/audit.ts";
import { databaseError } from "../../entities/failures.ts";
import {
  changeInventory,
  type InventoryChange,
  type InventoryChangeKind,
  inventoryChanges,
} from "../../entities/prizes/InventoryChange.ts";
import { type ItemAmount, PrizeLedger } from "../../entities/prizes/PrizeLedger.ts";
import type { RefusedAward } from "../../entities/prizes/refusedAwards.ts";
import type { Database, Transaction } from "../../entities/sql.ts";
import { idToCreate, type OperatorCall } from "../admin/operatorCall.ts";

export interface InventoryOperationsPorts {
  database: Database;
  clock: Pick<Clock, "now">;
  rng: Rng;
}

/** So much of an item, of whom, and why. */
export interface InventoryOrder extends ItemAmount {
  playerId: string;
  reason: string;
}

/** What a player has, and what operators did to that, latest first. */
export interface InventoryDetails {
  items: ItemAmount[];
  changes: InventoryChange[];
}

/** Where operators give items to players, take them away and redeem them, each with a reason that stays. */
export class InventoryOperations {
  readonly #ports: InventoryOperationsPorts;
  readonly #ledger: PrizeLedger;

  constructor(ports: InventoryOperationsPorts) {
    this.#ports = ports;
    this.#ledger = new PrizeLedger(ports.database, ports.rng);
  }

  /**
   * Makes a change. With a request id, a repeat answers the change that the first call made. Throws `not_found` for an unknown player or item,
   * `conflict` for more than the player has, `inventory_full` for more than a player can have, and `outcome_unknown`.
   */
  async change(kind: InventoryChangeKind, order: InventoryOrder, call: OperatorCall): Promise<InventoryChange> {
    const { clock, database, rng } = this.#ports;
    const id = idToCreate(call, rng);
    const change = { ...order, id, kind, operatorId: call.operatorId, changedAt: clock.now() };
    const work = async (tx: Transaction): Promise<InventoryChange> => {
      const made = await changeInventory(tx, this.#ledger, change);
      await audited(tx, call, change.changedAt);
      return made;
    };
    return reached(database.transaction(work));
  }

  /** Of a player who has nothing, nothing. */
  async get(playerId: string, limit: number): Promise<InventoryDetails> {
    const [items, changes] = await reached(
      Promise.all([this.#ledger.inventory(playerId), inventoryChanges(this.#ports.database, playerId, limit)]),
    );
    return { items, changes };
  }

  /** Awards that could not be paid, since their players' inventories were full; latest first. */
  refused(limit: number): Promise<RefusedAward[]> {
    return reached(this.#ledger.refused(limit));
  }
}

function reached<T>(work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    throw databaseError(error);
  });
}
