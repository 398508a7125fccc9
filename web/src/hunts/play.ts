import type { Clue } from "../protocol.ts";

/** Why a clue is no longer open for this player. */
export type Closing =
  | { how: "solved"; points: number }
  | { how: "exhausted" }
  | { how: "expired" }
  /** Closed while the connection was down. */
  | { how: "lost" };

/** What the server said to the last answer, or why it could not be told; `turn` tells two alike apart. */
export interface Verdict {
  turn: number;
  text: string;
}

/** An answer on its way: it is sent again by the same id until it is judged. */
export interface Sending {
  answer: string;
  requestId: string;
}

/** Where this player stands in the game of claiming and solving. */
export type Play =
  | { at: "idle"; problem?: string }
  /** `after` is the clue that has just closed: it stays in sight until the next one is here. */
  | { at: "asking"; after?: Play & { at: "closed" } }
  | { at: "waiting"; position: number }
  /** Nothing will be this player's any more. */
  | { at: "exhausted" }
  /** `lifetime` is the milliseconds the clue had left when it came here. */
  | { at: "clue"; clue: Clue; lifetime: number; sending?: Sending | undefined; verdict?: Verdict }
  | { at: "closed"; clue: Clue; closing: Closing };

/** The phases in which clues are handed out. */
export function isPlayable(phase: string | undefined): boolean {
  return phase === "solving";
}

/** "2 attempts left", "last attempt". */
export function attemptsText(left: number): string {
  return left === 1 ? "One attempt left." : `${left} attempts left.`;
}
