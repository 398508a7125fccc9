import { exactDouble, type Sql } from "../../entities/sql.ts";
import type { ScoreEntry } from "../../stores/tournaments/Leaderboard.ts";

/** The columns of `score_entries` that make a `ScoreEntry`. */
export const ENTRY_COLUMNS = [
  "player_id",
  "entry_no",
  "submission_id",
  "player_name",
  "score",
  "subscore",
  "best",
  "best_subscore",
  "seq",
  "reached_seq",
  "told_rank",
] as const;

/** As the database gives it: numbers may come as text. */
export type StoredEntry = Record<(typeof ENTRY_COLUMNS)[number], unknown>;

/** The columns of `ENTRY_COLUMNS` as they are selected from `table`. */
export function selectedEntry(dialect: Sql["dialect"], table = "score_entries"): string {
  return ENTRY_COLUMNS.map((column) =>
    column === "score" || column === "best"
      ? `${exactDouble(dialect, `${table}.${column}`)} AS ${column}`
      : `${table}.${column}`,
  ).join(", ");
}

export function entryOf(stored: StoredEntry): ScoreEntry {
  return {
    playerId: String(stored.player_id),
    playerName: String(stored.player_name),
    submissionId: String(stored.submission_id),
    entryNo: Number(stored.entry_no),
    score: Number(stored.score),
    subscore: Number(stored.subscore),
    best: Number(stored.best),
    bestSubscore: Number(stored.best_subscore),
    seq: Number(stored.seq),
    reachedSeq: Number(stored.reached_seq),
    toldRank: Number(stored.told_rank),
  };
}

/** In the order of `ENTRY_COLUMNS`. */
export function valuesOf(entry: ScoreEntry): (string | number)[] {
  return [
    ...[entry.playerId, entry.entryNo, entry.submissionId, entry.playerName, entry.score, entry.subscore],
    ...[entry.best, entry.bestSubscore, entry.seq, entry.reachedSeq, entry.toldRank],
  ];
}

/** An entry to be committed, and the one of its player before it, which is committed as well where it is not. */
export interface EntryCommit {
  entry: ScoreEntry;
  previous?: ScoreEntry | undefined;
}

/** What tells one decision from another. */
export type Decided = Pick<ScoreEntry, "playerId" | "entryNo" | "submissionId" | "seq">;

/** The entries that must be looked up before `contiguous` can tell. */
export function predecessorsOf(commits: readonly EntryCommit[]): Pick<Decided, "playerId" | "entryNo">[] {
  const wanted = new Map<string, Pick<Decided, "playerId" | "entryNo">>();
  for (const { entry, previous } of commits) {
    for (const { playerId, entryNo } of previous === undefined ? [entry] : [entry, previous]) {
      if (entryNo > 1) wanted.set(`${entryNo - 1} ${playerId}`, { playerId, entryNo: entryNo - 1 });
    }
  }
  return [...wanted.values()];
}

/**
 * What is to be written so that no player's entries have a gap, in the order of the primary key, which keeps concurrent
 * flushes from deadlocks. `refused`: entries whose predecessor is neither `stored` nor among these, or is another one than they know.
 */
export function contiguous(
  commits: readonly EntryCommit[],
  stored: readonly Decided[],
): { rows: ScoreEntry[]; refused: Set<ScoreEntry> } {
  const known = new Map<string, Decided>(stored.map((row) => [keyOf(row), row]));
  const taken = new Map<string, ScoreEntry>();
  const follows = (entry: ScoreEntry, previous: ScoreEntry | undefined): boolean => {
    if (entry.entryNo === 1) return true;
    const key = keyOf({ ...entry, entryNo: entry.entryNo - 1 });
    const before = taken.get(key) ?? known.get(key);
    if (before !== undefined) return previous === undefined || isSame(before, previous);
    if (previous === undefined || keyOf(previous) !== key || !follows(previous, undefined)) return false;
    taken.set(key, previous);
    return true;
  };
  const refused = new Set<ScoreEntry>();
  for (const { entry, previous } of commits.toSorted((a, b) => byKey(a.entry, b.entry))) {
    const twin = taken.get(keyOf(entry));
    const isTaken = twin === undefined ? follows(entry, previous) : isSame(twin, entry);
    if (!isTaken) refused.add(entry);
    else taken.set(keyOf(entry), entry);
  }
  return { rows: [...taken.values()].sort(byKey), refused };
}

function keyOf({ playerId, entryNo }: Pick<Decided, "playerId" | "entryNo">): string {
  return `${entryNo} ${playerId}`;
}

function isSame(a: Decided, b: Decided): boolean {
  return a.submissionId === b.submissionId && a.seq === b.seq;
}

function byKey(a: Decided, b: Decided): number {
  if (a.playerId !== b.playerId) return a.playerId < b.playerId ? -1 : 1;
  return a.entryNo - b.entryNo;
}
