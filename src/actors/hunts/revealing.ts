import type { Rng } from "../../clock.ts";
import type { HuntFigures, Winner } from "../../entities/hunts/Hunt.ts";
import { amountsByItem, PrizeLedger, type PrizeRange, prizesOf } from "../../entities/prizes/PrizeLedger.ts";
import type { Transaction } from "../../entities/sql.ts";
import type { Standing } from "../../stores/hunts/ClueLedger.ts";
import { TOP } from "./LedgerRefresh.ts";
import { bestScores, type Tally } from "./scores.ts";

/** What a hunt that is counted has come to. */
export interface HuntResult {
  figures: HuntFigures;
  winners: Winner[];
}

/** Reads the best players of a hunt that is counted, of whom the first `winners` get prizes. */
export async function resultOf(
  tx: Transaction,
  huntId: string,
  { players, solved }: Tally,
  { winners: count, prizes }: { winners: number; prizes: readonly PrizeRange[] },
): Promise<HuntResult> {
  const best = await bestScores(tx, huntId, Math.max(count, TOP));
  return {
    figures: { players, solved, standings: best.slice(0, TOP) },
    winners: best
      .slice(0, count)
      .map((standing: Standing) => ({ ...standing, prizes: prizesOf(standing.rank, prizes) })),
  };
}

/** Pays the winners, each once however often this is asked for. */
export async function payWinners(
  tx: Transaction,
  { huntId, rng, now }: { huntId: string; rng: Rng; now: number },
  winners: readonly Winner[],
): Promise<void> {
  const awards = winners.flatMap(({ playerId, prizes }) =>
    [...amountsByItem(prizes)].map(([item, amount]) => ({ playerId, item, amount, source: "hunt", sourceId: huntId })),
  );
  await new PrizeLedger(tx, rng).pay(tx, awards, now);
}
