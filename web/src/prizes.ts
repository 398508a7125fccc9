import type { ItemAmount, PrizeRange } from "./protocol.ts";

/** "1 Private pass and 100 TICO". */
export function itemsText(items: readonly ItemAmount[]): string {
  return LIST.format(items.map(({ item, amount }) => `${amountText(amount)} ${itemName(item)}`));
}

/** "PRIVATE_PASS" is a "Private pass"; a short word in capitals is a currency's, and stays. */
export function itemName(item: string): string {
  if (item.length <= 5 && !item.includes("_")) return item;
  const words = item.toLowerCase().replaceAll("_", " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** "12,500"; amounts are whole numbers as text, for they may be larger than a number holds exactly. */
export function amountText(amount: string): string {
  return /^\d+$/.test(amount) ? BigInt(amount).toLocaleString("en") : amount;
}

/** "1st", "2nd to 10th". */
export function rangeText({ from, to }: PrizeRange): string {
  return from === to ? ordinal(from) : `${ordinal(from)} to ${ordinal(to)}`;
}

/** "1st", "22nd", "113th". */
export function ordinal(rank: number): string {
  return `${rank.toLocaleString("en")}${SUFFIXES[ORDINALS.select(rank)] ?? "th"}`;
}

const LIST = new Intl.ListFormat("en");
const ORDINALS = new Intl.PluralRules("en", { type: "ordinal" });
const SUFFIXES: Partial<Record<Intl.LDMLPluralRule, string>> = { one: "st", two: "nd", few: "rd" };
