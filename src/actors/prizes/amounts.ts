import { amountsByItem, type ItemAmount, type PrizeRange, prizesOf } from "../../entities/prizes/PrizeLedger.ts";

/** What the player of this rank gets, overlapping ranges summed by item. */
export function amountsOf(rank: number, ranges: readonly PrizeRange[]): ItemAmount[] {
  return [...amountsByItem(prizesOf(rank, ranges))].map(([item, amount]) => ({ item, amount: String(amount) }));
}

/** What `players` players get in all. */
export function totalsOf(players: number, ranges: readonly PrizeRange[]): ItemAmount[] {
  const sums = new Map<string, bigint>();
  for (const { from, to, items } of ranges) {
    const ranks = BigInt(Math.max(0, Math.min(to, players) - from + 1));
    if (ranks === 0n) continue;
    for (const { item, amount } of items) sums.set(item, (sums.get(item) ?? 0n) + ranks * BigInt(amount));
  }
  return [...sums].map(([item, amount]) => ({ item, amount: String(amount) }));
}

/** The ranges as a result's hash has them: their fields in this order, and no others. */
export function canonicalPrizes(ranges: readonly PrizeRange[]): PrizeRange[] {
  return ranges.map(({ from, to, items }) => ({
    from,
    to,
    items: items.map(({ item, amount }) => ({ item, amount })),
  }));
}
