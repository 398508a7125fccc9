import {
  type Award,
  amountsByItem,
  type ItemAmount,
  type PrizeRange,
  prizesOf,
} from "../../entities/prizes/PrizeLedger.ts";
import { amountsOf } from "../prizes/amounts.ts";

/** How far a settlement has come. What it says is stored together with what it speaks of. */
export interface Settlement {
  /** Ranks 1 to this are stored. */
  stored: number;
  /** Known once all standings are stored. */
  resultHash: string | null;
  /** Ranks 1 to this have their prizes. */
  paidTo: number;
}

/** What a tournament would pay, or pays: of an item so much, the sums of all ranks that somebody has. */
export interface PrizePreview {
  /** Who have a standing. */
  players: number;
  /** The first 100 ranks. */
  prizes: PreviewedPrize[];
  totals: ItemAmount[];
}

export interface PreviewedPrize {
  rank: number;
  playerId: string;
  name: string;
  score: number;
  /** What the rank gets, an item once. */
  prizes: ItemAmount[];
}

/** A standing with what it gets. */
export function withPrizes(
  { rank, playerId, name, score }: Omit<PreviewedPrize, "prizes">,
  ranges: readonly PrizeRange[],
): PreviewedPrize {
  return { rank, playerId, name, score, prizes: amountsOf(rank, ranges) };
}

/** The next ranks that get something and that somebody has, at most `most`; undefined when there are none after `paidTo`. */
export function nextPaidRanks(
  paidTo: number,
  players: number,
  ranges: readonly PrizeRange[],
  most: number,
): { from: number; to: number } | undefined {
  const ahead = ranges.filter(({ to }) => to > paidTo);
  const from = Math.max(paidTo + 1, Math.min(...ahead.map((range) => range.from)));
  const last = Math.min(players, Math.max(0, ...ahead.map(({ to }) => to)));
  return from <= last ? { from, to: Math.min(last, from + most - 1) } : undefined;
}

/** The awards of these ranks. */
export function awardsOf(
  tournamentId: string,
  standings: ReadonlyArray<{ rank: number; playerId: string }>,
  ranges: readonly PrizeRange[],
): Award[] {
  return standings.flatMap(({ rank, playerId }) =>
    [...amountsByItem(prizesOf(rank, ranges))].map(([item, amount]) => ({
      source: "tournament" as const,
      sourceId: tournamentId,
      playerId,
      item,
      amount,
    })),
  );
}
