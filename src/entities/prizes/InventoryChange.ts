import { RingmasterError } from "../../errors.ts";
import { insertNew } from "../insertNew.ts";
import type { Sql, Transaction } from "../sql.ts";
import { PRIZE_ERRORS } from "./errors.ts";
import { type ItemAmount, type PrizeLedger, requireItems } from "./PrizeLedger.ts";

/**
 * What an operator does to a player's inventory. `grant` adds; `take` removes what should not be there; `redeem` removes what the player was
 * given something for.
 */
export type InventoryChangeKind = "grant" | "take" | "redeem";

/** One change, with who made it and why. */
export interface InventoryChange extends ItemAmount {
  /** By which it is made once. */
  id: string;
  kind: InventoryChangeKind;
  playerId: string;
  reason: string;
  operatorId: string;
  /** Epoch milliseconds. */
  changedAt: number;
}

interface ChangeRow {
  id: string;
  kind: InventoryChangeKind;
  player_id: string;
  item: string;
  amount: string;
  reason: string;
  operator_id: string;
  changed_at: unknown;
}

const COLUMNS = ["id", "kind", "player_id", "item", "amount", "reason", "operator_id", "changed_at"];
const selected = COLUMNS.map((column) => (column === "amount" ? "CAST(amount AS CHAR) AS amount" : column)).join(", ");

/**
 * Makes a change inside a transaction, as an award of its own in the ledger: one that is taken away is negative. One of this id that has been made
 * changes nothing. Answers the change that was made. Throws `not_found` for an unknown player or item, `conflict` (with what is `held`) for more than
 * the player has, and `inventory_full`.
 */
export async function changeInventory(
  tx: Transaction,
  ledger: Pick<PrizeLedger, "pay">,
  change: InventoryChange,
): Promise<InventoryChange> {
  const { id, kind, playerId, item, amount, reason, operatorId, changedAt } = change;
  const [known] = await tx.query<ChangeRow>(`SELECT ${selected} FROM inventory_changes WHERE id = ?`, [id]);
  if (known) return changeOf(known);
  await requireItems(tx, [item]);
  const [player] = await tx.query("SELECT 1 FROM players WHERE id = ?", [playerId]);
  if (!player) throw new RingmasterError("not_found", `There is no player ${playerId}.`);
  const values = [id, kind, playerId, item, amount, reason, operatorId, changedAt];
  const added = await insertNew(tx, { table: "inventory_changes", columns: COLUMNS }, [values]);
  // Another call of the same id was first, and has ended meanwhile.
  if (added === 0) return changeInventory(tx, ledger, change);
  if (kind === "grant") await grant(tx, ledger, change);
  else await takeAway(tx, change);
  return change;
}

/** What operators did to a player's inventory, latest first. */
export async function inventoryChanges(sql: Sql, playerId: string, limit: number): Promise<InventoryChange[]> {
  const rows = await sql.query<ChangeRow>(
    `SELECT ${selected} FROM inventory_changes WHERE player_id = ? ORDER BY changed_at DESC, id DESC LIMIT ?`,
    [playerId, limit],
  );
  return rows.map(changeOf);
}

async function grant(
  tx: Transaction,
  ledger: Pick<PrizeLedger, "pay">,
  { id, playerId, item, amount, changedAt }: InventoryChange,
): Promise<void> {
  const award = { source: "operator", sourceId: id, playerId, item, amount: BigInt(amount) } as const;
  await ledger.pay(tx, [award], changedAt, () => {
    throw new RingmasterError(PRIZE_ERRORS.inventory_full);
  });
}

async function takeAway(tx: Transaction, { id, playerId, item, amount, changedAt }: InventoryChange): Promise<void> {
  // Not as a parameter: MariaDB would reckon with a text as with a double.
  const { affected } = await tx.write(
    `UPDATE inventories SET amount = amount - ${BigInt(amount)} WHERE player_id = ? AND item = ? AND amount >= ${BigInt(amount)}`,
    [playerId, item],
  );
  if (affected === 0) throw await tooLittle(tx, playerId, item, amount);
  const columns = ["source", "source_id", "player_id", "item", "amount", "batch", "awarded_at"];
  await insertNew(tx, { table: "awards", columns }, [
    ["operator", id, playerId, item, `-${amount}`, id.slice(0, 24), changedAt],
  ]);
}

async function tooLittle(tx: Transaction, playerId: string, item: string, amount: string): Promise<RingmasterError> {
  const [row] = await tx.query<{ held: string }>(
    "SELECT CAST(amount AS CHAR) AS held FROM inventories WHERE player_id = ? AND item = ?",
    [playerId, item],
  );
  const held = row?.held ?? "0";
  return new RingmasterError("conflict", `${playerId} has ${held} ${item}, and not ${amount}.`, { held });
}

function changeOf({ id, kind, player_id, item, amount, reason, operator_id, changed_at }: ChangeRow): InventoryChange {
  return {
    ...{ id, kind, playerId: player_id, item, amount: String(amount), reason },
    ...{ operatorId: operator_id, changedAt: Number(changed_at) },
  };
}
