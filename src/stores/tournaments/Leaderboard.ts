import type { TournamentTerms } from "../../entities/tournaments/Tournament.ts";
import type { Result } from "./scoring.ts";

/**
 * The hot state of tournaments: who stands where, how many entries everybody has made.
 *
 * A **submission** that is accepted becomes an **entry**: the full row that the decision leaves behind (`ScoreEntry`), numbered for
 * its player (`entryNo` 1, 2, …) and for the tournament (`seq`). The latest entry of a player says how the player stands, so
 * that committing entries to MySQL is append-only and idempotent, and a lost board is rebuilt from each player's latest ones.
 * Nothing may be acknowledged before that commit. A player's committed entries have no gap (`ScoreJournal` sees to that).
 *
 * Standings are by score, then subscore, then by who reached them first (`reachedSeq`, the `seq` of the entry that last changed
 * the player's standing). Ranks count from 1, and no two players share one.
 *
 * A player's latest `REMEMBERED` submissions are known to the board and answered as they were the first time. For an id that is
 * none of them, of a player who has made more, the board is not sure: the caller looks it up in MySQL and asks again.
 *
 * The board's **epoch** is the fence between Redis and MySQL, as the clue ledger's is: entries are committed under the epoch that
 * decided them; a rebuild or the freeze of a settlement raises it.
 *
 * Everything but `submit` only reads or replaces; a `submit` may be repeated after a lost reply. What cannot be reached rejects
 * with `unavailable`, too much at once with `overloaded`.
 */
export interface Leaderboard {
  /**
   * Decides on a submission. Does not judge who may: the window is the caller's to judge. What refuses is asked in this
   * order: remembered, `unsure`, `outOfBounds`, `full`, `tooFast`; so that what was accepted once is never refused.
   * Rejects with `invalid_payload` what no row could hold. -0 is taken for 0.
   */
  submit(board: BoardKey, submission: Submission): Promise<SubmitDecision>;
  /** The rows of `offset + 1` to `offset + limit`, and how many players there are; `undefined` when the board is missing. */
  page(board: BoardKey, offset: number, limit: number): Promise<BoardPage | undefined>;
  /**
   * At most `limit` rows with the player's in their middle (the later one of two), at the edges as many rows as elsewhere; none when
   * the player has no standing.
   */
  around(board: BoardKey, playerId: string, limit: number): Promise<BoardPage | undefined>;
  /**
   * Replaces the board by `latest` under `epoch`, at once: until then it is as before. Ignored (false) when the board is at this
   * epoch or a later one, or another load overtook this one: ask the board again. How fast players submit starts anew.
   */
  load(board: BoardKey, snapshot: BoardSnapshot): Promise<boolean>;
  /** Forgets the board. */
  drop(board: Pick<BoardKey, "id">): Promise<void>;
  /** Answers what was asked; then refuses. */
  close(): Promise<void>;
}

/** Which board, and the rules it applies: the same in every call. */
export interface BoardKey {
  /** The tournament's id. */
  id: string;
  rules: BoardRules;
}

export type BoardRules = Pick<
  TournamentTerms,
  "operator" | "order" | "maxEntries" | "maxSubmissions" | "submissionsPerMinute"
> & {
  /** In units, as every score of a board. */
  minScore: number;
  maxScore: number;
};

export interface Submission extends Result {
  playerId: string;
  playerName: string;
  /** The caller's own id of it: the same id means the same submission. 1 to 64 printable ASCII characters, no spaces. */
  submissionId: string;
  /** Epoch milliseconds of the deciding node. */
  now: number;
  /** The caller has looked in MySQL and there is no such submission. */
  isNew?: boolean;
}

/** Submissions of a player that the board remembers: more than are under way at a time, few enough to be held for everybody. */
export const REMEMBERED = 8;

/** One accepted submission as MySQL stores it (`score_entries`): its result, and how its player stands after it. */
export interface ScoreEntry extends Result {
  playerId: string;
  playerName: string;
  submissionId: string;
  /** 1 for the player's first. */
  entryNo: number;
  /** What counts for the player after this entry. */
  best: number;
  bestSubscore: number;
  /** The tournament's entries are numbered 1, 2, … in the order of their decision, with gaps after a failure. */
  seq: number;
  /** The `seq` of the entry with which the player reached `best` and `bestSubscore`. */
  reachedSeq: number;
  /** The player's rank right after this entry: what the first answer said. */
  toldRank: number;
}

export type SubmitDecision =
  /** The board has lost this tournament, or never had it: rebuild it from MySQL, then ask again. */
  | { kind: "missing" }
  /**
   * To be committed under `epoch`, then acknowledged; also when it is a repetition, whose first commit may not be over. `previous`
   * is the entry of the same player before it, if there is one: to be committed as well where it is not, for its node may have died.
   * Only of the oldest submission that the board remembers there is no `previous`.
   */
  | { kind: "accepted"; epoch: number; entry: ScoreEntry; previous?: ScoreEntry; isRepeated: boolean }
  /** Look for the submission in MySQL; if it is not there, ask again with `isNew`. */
  | { kind: "unsure" }
  /** Nothing changed: the score (for `increment` what would come of it) is outside of the game's bounds, or a sum would be too large to stay exact. */
  | { kind: "outOfBounds" }
  /** Nothing changed: the player has made all their entries, or the tournament has taken all of its own. */
  | { kind: "full"; of: "player" | "tournament" }
  /**
   * Nothing changed: as many entries of this player as there may be in a minute, which begins with the first. A clock that is behind
   * that begin starts a new minute: it must not lock the player out.
   */
  | { kind: "tooFast"; retryAfterMs: number };

/** A row of the standings. */
export interface StandingRow {
  rank: number;
  playerId: string;
  name: string;
  score: number;
  subscore: number;
  entries: number;
}

export interface BoardPage {
  epoch: number;
  /** Grows with every entry within an epoch: how many the board has taken. */
  version: number;
  /** The number of the latest entry; 0 before any. */
  seq: number;
  /** Players with a standing. */
  total: number;
  rows: StandingRow[];
}

/** A player's latest entry, and the ids of the latest `REMEMBERED` ones. */
export interface PlayerSnapshot {
  latest: ScoreEntry;
  /** The player's newest entries, `latest` among them, in any order; at most `REMEMBERED`. */
  remembered: readonly ScoreEntry[];
}

export interface BoardSnapshot {
  epoch: number;
  /** How many entries have been committed: what `maxSubmissions` bounds. */
  submissions: number;
  /** Every player with a committed entry, in any order; may be streamed. */
  players: Iterable<PlayerSnapshot> | AsyncIterable<PlayerSnapshot>;
}
