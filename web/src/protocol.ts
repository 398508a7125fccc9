/** What the server and this page say to each other (docs/protocol.md). Times are epoch milliseconds. */

export interface Player {
  id: string;
  name: string;
}

export type Phase = "scheduled" | "discovery" | "solving" | "reveal" | "finished" | "cancelled";

/** A hunt as the lobby lists it. */
export interface Listing {
  id: string;
  domain: string;
  name: string;
  phase: Phase;
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
}

export type ClaimAnswer = Clue | { waiting: true; position: number };

export interface SolveAnswer {
  correct: boolean;
  points: number;
  total: number;
  attemptsLeft: number;
}

export interface Revoked {
  assignmentId: string;
}

export interface ChestOpened {
  winners: Standing[];
}
