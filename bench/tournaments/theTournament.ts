import { createHash } from "node:crypto";
import { seededRng } from "../../src/clock.ts";
import type { Value } from "../../src/entities/sql.ts";
import type { TournamentTerms } from "../../src/entities/tournaments/Tournament.ts";

/** Ranks that get a prize. */
const PAID_RANKS = 100;
/** Every so-many-th player has made a second entry. */
const SECOND_ENTRIES = 3;

/** The tournament that is settled: open from `now` on, without a grace. */
export function theTerms(now: number): TournamentTerms {
  return {
    name: "Bench",
    game: "snake",
    startsAt: now,
    endsAt: now + 3_600_000,
    graceMs: 0,
    operator: "best",
    order: "desc",
    maxEntries: 100,
    maxSubmissions: 5_000_000,
    minScore: 0,
    maxScore: 1e9,
    submissionsPerMinute: 120,
    prizes: [
      { from: 1, to: 10, items: [{ item: "PRIVATE_PASS", amount: "1" }] },
      { from: 1, to: PAID_RANKS, items: [{ item: "TICO", amount: "1000" }] },
    ],
    series: null,
  };
}

export const ENTRY_COLUMNS = [
  ...["tournament_id", "player_id", "entry_no", "submission_id", "player_name", "game", "score", "subscore"],
  ...["best", "best_subscore", "seq", "reached_seq", "told_rank", "stored_at"],
] as const;

/** The entries as a leaderboard leaves them, in the order of the primary key; ids are as random as players' are. */
export function* entriesOf(
  tournamentId: string,
  { players, seed }: { players: number; seed: number },
): Generator<Value[], void, undefined> {
  const rng = seededRng(seed);
  const ids = Array.from({ length: players }, (_, at) => idOf(at)).sort();
  for (const [at, id] of ids.entries()) {
    const first = Math.floor(rng.next() * players);
    const score = Math.floor(rng.next() * 1e6);
    const name = `Player ${id.slice(0, 6)}`;
    yield [tournamentId, id, 1, `${id}-1`, name, "snake", score, 0, score, 0, at + 1, at + 1, first + 1, 0];
    if (at % SECOND_ENTRIES !== 0) continue;
    const seq = players + at + 1;
    const [again, best] = [Math.floor(score / 2), score];
    yield [tournamentId, id, 2, `${id}-2`, name, "snake", again, 0, best, 0, seq, at + 1, first + 1, 0];
  }
}

function idOf(at: number): string {
  return createHash("md5").update(String(at)).digest("base64url").slice(0, 16);
}
