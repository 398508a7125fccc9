import { z } from "zod";
import { reason } from "../actors/admin/reason.ts";
import { itemAmount } from "../actors/prizes/definition.ts";
import type { InventoryOperations } from "../actors/prizes/InventoryOperations.ts";
import type { InventoryChangeKind } from "../entities/prizes/InventoryChange.ts";
import { idOf } from "../ids.ts";
import { amountOf, changesLimit, time } from "./fields.ts";
import { operationsWith } from "./Operation.ts";

/** What these need of the node. */
export interface PrizeOperationServices {
  inventories: InventoryOperations;
}

const { command, query } = operationsWith<PrizeOperationServices>();

const change = amountOf.extend({
  id: z.string(),
  kind: z.enum(["grant", "take", "redeem"]),
  playerId: z.string(),
  reason: z.string(),
  operatorId: z.string(),
  changedAt: time,
});

/** A command that changes what a player has. */
const changing = (name: string, kind: InventoryChangeKind, description: string) =>
  command(name, {
    description,
    args: itemAmount.extend({ playerId: idOf("player"), reason }),
    answer: change,
    run: (order, { inventories }, call) => inventories.change(kind, order, call),
  });

/** What operators do to what players have. */
export const PRIZE_COMMANDS = [
  changing("grantItem", "grant", "Adds to a player's inventory."),
  changing("takeItem", "take", "Removes from a player's inventory what should not be there."),
  changing("redeemItem", "redeem", "Removes from a player's inventory what the player was given something for."),
];

/** What is asked of what players have. */
export const PRIZE_QUERIES = [
  query("inventory", {
    description: "What a player has, and what operators did to it, latest first.",
    args: z.strictObject({ playerId: idOf("player"), limit: changesLimit }),
    answer: z.object({ items: z.array(amountOf), changes: z.array(change) }),
    run: ({ playerId, limit }, { inventories }) => inventories.get(playerId, limit),
  }),
  query("refusedAwards", {
    description: "Prizes that their players had no room for, latest first.",
    args: z.strictObject({ limit: changesLimit }),
    answer: z.array(
      amountOf.extend({ source: z.string(), sourceId: z.string(), playerId: z.string(), refusedAt: time }),
    ),
    run: ({ limit }, { inventories }) => inventories.refused(limit),
  }),
];
