/** What the server and this page say to each other (docs/protocol.md). Times are epoch milliseconds. */

export interface Player {
  id: string;
  name: string;
}

export type Phase = "scheduled" | "discovery" | "solving" | "reveal" | "finished" | "cancelled";
export type TournamentPhase = "scheduled" | "open" | "grace" | "settling" | "settled" | "cancelled";

/** Something to take part in, as the lobby lists it; `endsAt` is when its phase ends, 0 where nobody can say. */
export interface Listing {
  id: string;
  domain: string;
  name: string;
  phase: Phase | TournamentPhase;
  startsAt: number;
  endsAt: number;
}

export interface LobbyState {
  on: Iterable<Listing>;
  coming: Iterable<Listing>;
}

/** One event of the lobby's feed; `id` is the cursor to pass as `since`. */
export interface FeedEvent {
  id: string;
  topic: string;
  at: number;
  type: string;
  data: unknown;
}

export interface Standing {
  rank: number;
  playerId: string;
  name: string;
  points: number;
}

export interface HuntState {
  huntId: string;
  name: string;
  phase: Phase;
  /** When the current phase ends; 0 when it does not. */
  endsAt: number;
  startsAt: number;
  /** Since when it is paused, and when it goes on at the latest; 0 while it is not paused. */
  pausedAt: number;
  resumesAt: number;
  /** Since when the result is held for review; 0 while it is not. */
  reviewSince: number;
  /** Why it was cancelled; empty where nobody said, and of a server of before this was told. */
  cancelReason?: string;
  players: number;
  open: number;
  solved: number;
  total: number;
  waiting: number;
  /** The server's time at its last patch. */
  serverNow: number;
  top: Iterable<Standing>;
}

/** An assignment: the clue that is open for this player until `expiresAt`. */
export interface Clue {
  assignmentId: string;
  clueId: string;
  type: string;
  prompt: string;
  points: number;
  expiresAt: number;
  /** Answers that the player has left to it; an earlier version of this page did not keep them. */
  attemptsLeft?: number;
  /** How long the hunt had been paused in all when `expiresAt` was told; noted by this page. */
  pausedMs?: number;
}

/** How a hunt stands; of one that was ever paused, `pausedMs` is how long that was in all, and `pausedAt` since when it is. */
export interface PhaseTold {
  phase: Phase;
  endsAt: number;
  pausedMs?: number;
  pausedAt?: number;
}

export type ClaimAnswer = Clue | { waiting: true; position: number; exhausted?: true };

export interface SolveAnswer {
  correct: boolean;
  points: number;
  total: number;
  attemptsLeft: number;
}

/** The player's place in the queue has changed. */
export interface Position {
  position: number;
}

/** `rank` is `null` without points, and for some moments after the end. */
export interface OwnStanding {
  rank: number | null;
  points: number;
}

export interface Revoked {
  assignmentId: string;
}

/** A winner and what they get. */
export interface Winner extends Standing {
  prizes: ItemAmount[];
}

export interface ChestOpened {
  winners: Winner[];
}

/** So much of an item, in minor units. */
export interface ItemAmount {
  item: string;
  amount: string;
}

/** The ranks `from` to `to` get the items. */
export interface PrizeRange {
  from: number;
  to: number;
  items: ItemAmount[];
}

export interface ScoreRow {
  rank: number;
  playerId: string;
  name: string;
  score: number;
  /** Below 0 where a round played at the player's own pace counts; see `OWN_PACE`. */
  subscore: number;
  /** How many the player has made; not in the room's state. */
  entries?: number;
}

export interface TournamentState {
  tournamentId: string;
  name: string;
  game: string;
  phase: TournamentPhase;
  startsAt: number;
  /** When the open phase ends, or did. */
  endsAt: number;
  /** When the current phase ends; 0 when nobody can say. */
  phaseEndsAt: number;
  /** Since when it is paused, and when it goes on at the latest; 0 while it is not paused. */
  pausedAt: number;
  resumesAt: number;
  /** Since when the result is held for review; 0 while it is not. */
  reviewSince: number;
  /** Why it was cancelled; empty where nobody said, and of a server of before this was told. */
  cancelReason?: string;
  players: number;
  serverNow: number;
  /** SHA-256 of the final result in hex; empty before it is settled. */
  resultHash: string;
  /** `PrizeRange[]` as JSON. */
  prizes: string;
  top: Iterable<ScoreRow>;
}

/** What the page needs of `GET /api/tournaments/:id`. */
export interface TournamentDetails {
  operator: "best" | "sum" | "last" | "increment";
  maxEntries: number;
  graceMs: number;
}

/** A run of the player's that begins now; the round is played from its seed. */
export interface BegunRun {
  run: string;
  seed: number;
  at: number;
}

/** `best` is what counts for the player now, `entries` how many entries they have made. */
export interface SubmitAnswer {
  rank: number;
  best: number;
  entries: number;
}

export interface StandingsPage {
  rows: ScoreRow[];
  /** Players with a standing. */
  total: number;
}

/** Scores are still taken until `acceptsUntil`, of what was being played. */
export interface TournamentClosed {
  phase: TournamentPhase;
  acceptsUntil: number;
}

/** `rank` is `null` for somebody without a standing. */
export interface TournamentSettled {
  rank: number | null;
  prizes: ItemAmount[];
}

/** What the player has connected and chosen. */
export interface Links {
  wallet: { address: string; connectedAt: number } | null;
  exchange: string | null;
}

/** A window in which a popup is shown. */
export interface PopupWindow {
  id: string;
  title: string;
  body: string;
  closesAt: number;
}

/** A quest as the player's own list shows it. */
export interface Quest {
  id: string;
  title: string;
  rewards: ItemAmount[];
  repeatable: boolean;
  state: "open" | "active" | "scheduled" | "completed" | "lapsed";
  /** When completion is due; `null` while it is not. */
  dueAt: number | null;
}

/** One of this player's quests has changed. */
export interface QuestNews {
  id: string;
  state: Quest["state"];
  dueAt: number;
  rewards: ItemAmount[];
}
