import { z } from "zod";
import { LARGEST_AWARD } from "../../entities/prizes/PrizeLedger.ts";

/** Ranks a definition may give prizes to. */
const LOWEST_RANK = 1_000_000;
/** Kinds of items in one prize. */
const MOST_ITEMS = 10;

/** What is told of an amount that is none. */
const AMOUNT = `must be a whole number of minor units from 1 to ${LARGEST_AWARD}, as a string without leading zeros`;

/** So much of an item: minor units, as a decimal string. */
export const itemAmount = z.strictObject({
  item: z
    .string()
    .regex(/^[A-Z][A-Z0-9_]{0,31}$/, "must be an item's id: 1 to 32 of A-Z, 0-9 and _, and a letter first"),
  amount: z
    .string({ error: AMOUNT })
    .regex(/^[1-9][0-9]{0,15}$/, { error: AMOUNT, abort: true })
    .refine((amount) => BigInt(amount) <= LARGEST_AWARD, { error: AMOUNT }),
});

/** Prizes by rank, as hunts and tournaments define them: ranks `from` to `to` get the items. */
export const prizeRange = z
  .strictObject({
    from: z.int().min(1).max(LOWEST_RANK),
    to: z.int().min(1).max(LOWEST_RANK),
    items: z.array(itemAmount).min(1).max(MOST_ITEMS),
  })
  .refine(({ from, to }) => from <= to, { path: ["to"], error: "must not be less than from" });
