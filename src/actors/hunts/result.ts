import { createHash } from "node:crypto";
import type { PrizeRange } from "../../entities/prizes/PrizeLedger.ts";
import type { Standing } from "../../stores/hunts/ClueLedger.ts";
import { canonicalPrizes } from "../prizes/amounts.ts";

/** What a hunt's result says of the hunt. */
export interface HuntResultHead {
  id: string;
  /** Epoch milliseconds. */
  startsAt: number;
  prizes: readonly PrizeRange[];
}

/**
 * The hash of a hunt's result: SHA-256 in hex over lines of UTF-8, each ended by "\n". The first is the head as JSON; then each winner, in order
 * of rank, as the JSON array `[rank, playerId, points]`. JSON without spaces, the fields in the order of `HuntResultHead`.
 */
export function resultHashOf({ id, startsAt, prizes }: HuntResultHead, winners: readonly Standing[]): string {
  const head = JSON.stringify({ id, startsAt, prizes: canonicalPrizes(prizes) });
  const lines = winners.map(({ rank, playerId, points }) => JSON.stringify([rank, playerId, points]));
  return createHash("sha256")
    .update([head, ...lines].map((line) => `${line}\n`).join(""))
    .digest("hex");
}
