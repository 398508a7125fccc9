import { z } from "zod";
import { itemAmount } from "../../actors/prizes/definition.ts";
import type { InventoryOffice } from "../../actors/prizes/InventoryOffice.ts";
import type { InventoryChangeKind } from "../../entities/prizes/InventoryChange.ts";
import { lineOfText } from "../../text.ts";
import { validate } from "../../validate.ts";
import { thingId, type Verb, type Verbs } from "./verbs.ts";

export interface PrizeVerbServices {
  inventories: InventoryOffice;
}

/** Characters of a reason as a person counts them, and UTF-16 units as the column holds them. */
const LONGEST_REASON = 200;
const REASON_UNITS = 800;

const order = itemAmount.extend({ playerId: thingId("player"), reason: lineOfText(LONGEST_REASON, REASON_UNITS) });
const limit = z.int().min(1).max(200).default(20);
const ofPlayer = z.strictObject({ playerId: thingId("player"), limit });
const some = z.strictObject({ limit });

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
