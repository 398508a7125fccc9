import { z } from "zod";
import { reason } from "../../actors/admin/reason.ts";
import { itemAmount } from "../../actors/prizes/definition.ts";
import type { InventoryOperations } from "../../actors/prizes/InventoryOperations.ts";
import type { InventoryChangeKind } from "../../entities/prizes/InventoryChange.ts";
import { idOf } from "../../ids.ts";
import { validate } from "../../validate.ts";
import { changesLimit, type Verb, type Verbs } from "./verbs.ts";

export interface PrizeVerbServices {
  inventories: InventoryOperations;
}

const order = itemAmount.extend({ playerId: idOf("player"), reason });
const ofPlayer = z.strictObject({ playerId: idOf("player"), limit: changesLimit });
const some = z.strictObject({ limit: changesLimit });

const changes =
  (kind: InventoryChangeKind): Verb<PrizeVerbServices> =>
  (args, { inventories }, call) =>
    inventories.change(kind, validate(order, args), call);

export const PRIZE_VERBS: Verbs<PrizeVerbServices> = {
  commands: { grantItem: changes("grant"), takeItem: changes("take"), redeemItem: changes("redeem") },
  queries: {
    inventory: (args, { inventories }) => {
      const asked = validate(ofPlayer, args);
      return inventories.get(asked.playerId, asked.limit);
    },
    refusedAwards: (args, { inventories }) => inventories.refused(validate(some, args).limit),
  },
};
