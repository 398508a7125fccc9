import { exactDouble, type Sql } from "../sql.ts";
import { type ScoreSigns, scoreSigns } from "../tournaments/Game.ts";
import { type BestEntry, bestOfEach, type GameTime } from "./entries.ts";
import { firstOfEach } from "./firstOfEach.ts";
import { BEST_PLAYER_FIRST, keyOf, RANKING, type RankingKey, scoreOfMerit } from "./Ranking.ts";

interface LeaderRow {
  player_id: string;
  player_name: string;
  exact_score: unknown;
  reached_at: unknown;
}

/** Without a ranking of just this time, its entries may have been counted into others: those of another time zone. */
const OF_JUST_THIS_TIME = `EXISTS (SELECT 1 FROM ranking_periods WHERE ${RANKING} AND ends_at = ?)`;

/**
 * The best entries of days and weeks so far, at the positions of their rankings: the best of those that a ranking has counted, or
 * a better one since, by their games' order (`known` spares a query for it). Entries of a tournament that was cancelled since then still count here.
 */
export async function leadersOf(
  sql: Sql,
  rankings: readonly RankingKey[],
  known?: ScoreSigns,
): Promise<Array<BestEntry | undefined>> {
  // In this order: what is counted meanwhile is seen twice rather than not at all.
  const [marks, signs] = [await marksOf(sql), known ?? (await scoreSigns(sql))];
  const counted = await firstOfEach<LeaderRow>(
    sql,
    `player_id, player_name, ${exactDouble(sql.dialect, "score")} AS exact_score, reached_at
     FROM rankings WHERE ${RANKING} AND ${OF_JUST_THIS_TIME} ORDER BY ${BEST_PLAYER_FIRST}`,
    rankings.map((ranking) => [...keyOf(ranking), ...keyOf(ranking), ranking.endsAt]),
  );
  const rests = rankings.map(({ game, startsAt, endsAt }, at) => ({
    game,
    startsAt: counted[at] ? Math.max(startsAt, marks.get(game) ?? 0) : startsAt,
    endsAt,
  }));
  const parts = disjoint(rests);
  const best = await bestOfEach(sql, parts, signs);
  return rests.map((rest, at) => {
    const within = best.filter((_, part) => contains(rest, parts[part]!));
    const sign = signs.get(rest.game) ?? 1;
    return [counted[at] && entryOf(counted[at], sign), ...within].reduce(
      (best, entry) => better(best, entry, sign),
      undefined,
    );
  });
}

async function marksOf(sql: Sql): Promise<Map<string, number>> {
  const rows = await sql.query<{ game: string; counted_until: unknown }>(
    "SELECT game, counted_until FROM ranking_marks",
  );
  return new Map(rows.map(({ game, counted_until }) => [game, Number(counted_until)]));
}

/** The same times in parts that do not overlap, each game's in order: the day is in the week, and need not be read twice. */
export function disjoint(times: readonly GameTime[]): GameTime[] {
  return [...Map.groupBy(times, ({ game }) => game)].flatMap(([game, own]) => {
    const bounds = [...new Set(own.flatMap(({ startsAt, endsAt }) => [startsAt, endsAt]))].sort((a, b) => a - b);
    return bounds
      .slice(1)
      .map((endsAt, at) => ({ game, startsAt: bounds[at]!, endsAt }))
      .filter((part) => own.some((time) => contains(time, part)));
  });
}

function contains(time: GameTime, part: GameTime): boolean {
  return time.game === part.game && time.startsAt <= part.startsAt && time.endsAt >= part.endsAt;
}

/** Of equal scores the one that came first, which is the one that comes first here. */
function better(best: BestEntry | undefined, entry: BestEntry | undefined, sign: 1 | -1): BestEntry | undefined {
  return entry && (!best || sign * entry.score > sign * best.score) ? entry : best;
}

function entryOf({ player_id, player_name, exact_score, reached_at }: LeaderRow, sign: 1 | -1): BestEntry {
  const score = scoreOfMerit(Number(exact_score), sign);
  return { playerId: player_id, name: player_name, score, storedAt: Number(reached_at) };
}
