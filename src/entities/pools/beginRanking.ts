import type { Transaction } from "../sql.ts";
import { keyOf, RANKING, type RankingKey } from "./Ranking.ts";
import { addEntries, rankingsOf } from "./rankingBook.ts";

/**
 * Makes sure that a ranking has counted all of its time before `counted`, a moment in it, up to which its game's entries have been counted.
 * Where some were counted by another time zone, into rankings of other times, it takes the place of those that this moment is in:
 * they would not grow any more, nor have all of their time should the zone be changed back. Those that are over stay.
 */
export async function beginRanking(tx: Transaction, ranking: RankingKey, counted: number): Promise<void> {
  const { game, period, startsAt, endsAt } = ranking;
  const begun = await rankingsOf(tx, game, { startsAt: counted, endsAt: counted + 1 });
  const replaced = begun.filter((other) => other.period === period);
  if (replaced.length === 1 && replaced[0]!.startsAt === startsAt && replaced[0]!.endsAt === endsAt) return;
  for (const each of [...replaced, ranking])
    for (const table of ["rankings", "ranking_blocks", "ranking_periods"])
      await tx.write(`DELETE FROM ${table} WHERE ${RANKING}`, keyOf(each));
  await addEntries(tx, ranking, { startsAt, endsAt: counted });
}
