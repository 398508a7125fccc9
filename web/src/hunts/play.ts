import { waitText } from "../countdown.ts";
import type { Problem } from "../problems.ts";
import type { Clue, Phase } from "../protocol.ts";

/** Why a clue is no longer open for this player. */
export type Closing =
  | { how: "solved"; points: number }
  | { how: "exhausted" }
  | { how: "expired" }
  | { how: "returned" }
  /** Closed while the connection was down. */
  | { how: "lost" };

/** What the server said to the last answer, or why it could not be told; `turn` tells two alike apart. */
export interface Decision {
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
  /** Until `restUntil` (the server's time, in epoch milliseconds) no other clue is given. */
  | { at: "idle"; problem?: string; restUntil?: number }
  /** `after` is the clue that has just closed: it stays in sight until the next one is here. */
  | { at: "asking"; after?: Play & { at: "closed" } }
  | { at: "waiting"; position: number; isLeaving?: boolean; problem?: string }
  /** Nothing will be this player's any more. */
  | { at: "exhausted" }
  /** `lifetime` is the milliseconds the clue had left when it came here. */
  | {
      at: "clue";
      clue: Clue;
      lifetime: number;
      sending?: Sending | undefined;
      isReturning?: boolean | undefined;
      decision?: Decision;
    }
  | { at: "closed"; clue: Clue; closing: Closing };

/** What is read out when a phase begins. */
export const BEGUN: Record<Phase, string> = {
  scheduled: "The hunt is scheduled.",
  discovery: "The doors are open.",
  solving: "The hunt has begun. Get a clue!",
  // The chest itself is read out.
  reveal: "",
  finished: "The hunt is over.",
  cancelled: "The hunt was cancelled.",
};

/** What is read out when a clue closes. */
export function closingText(closing: Closing): string {
  if (closing.how === "solved") return `Right! ${closing.points} points.`;
  if (closing.how === "exhausted") return "Out of attempts. The clue goes to somebody else.";
  if (closing.how === "expired") return "Time is up. The clue goes to somebody else.";
  if (closing.how === "returned") return "The clue is given back.";
  return "That clue was closed while you were away.";
}

/** The phases in which clues are handed out. */
export function isPlayable(phase: string | undefined): boolean {
  return phase === "solving";
}

/** "2 attempts left", "last attempt". */
export function attemptsText(left: number): string {
  return left === 1 ? "One attempt left." : `${left} attempts left.`;
}

/** Where a claim leads that was refused. `now` is the server's time. */
export function refusedPlay(problem: Problem, now: number): Play {
  const details = problem.details as { phase?: string; retryAfterMs?: number } | undefined;
  if (problem.code === "rate_limited" && details?.retryAfterMs !== undefined) {
    const { retryAfterMs } = details;
    const pause = `This hunt has a pause between clues: the next one can be yours in ${waitText(retryAfterMs)}.`;
    return { at: "idle", problem: pause, restUntil: now + retryAfterMs };
  }
  if (problem.code !== "wrong_phase") return { at: "idle", problem: problem.sentence };
  const isEarly = details?.phase === "scheduled" || details?.phase === "discovery";
  const late = "The hunt is over; no more clues are handed out.";
  return { at: "idle", problem: isEarly ? "Clues are handed out once the hunt begins." : late };
}
