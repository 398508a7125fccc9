import {
  amountsByItem,
  itemsIn,
  LARGEST_AWARD,
  type PrizeRange,
  prizesOf,
  requireItems,
} from "../../entities/prizes/PrizeLedger.ts";
import type { Sql } from "../../entities/sql.ts";
import { RingmasterError } from "../../errors.ts";

/**
 * Refuses prizes that the ledger would refuse at the end, when nothing could be done about them any more: throws `not_found` for
 * an unknown item, `invalid_payload` where overlapping ranges give a rank more of an item than one award may be.
 */
export async function assertPayable(sql: Pick<Sql, "query">, ranges: readonly PrizeRange[]): Promise<void> {
  // What a rank gets changes only where a range begins.
  for (const { from } of ranges) {
    for (const [item, amount] of amountsByItem(prizesOf(from, ranges)))
      if (amount > LARGEST_AWARD)
        throw new RingmasterError(
          "invalid_payload",
          `Rank ${from} would get ${amount} of ${item}; an award is at most ${LARGEST_AWARD}.`,
        );
  }
  await requireItems(sql, itemsIn(ranges));
}
