import { Observable } from "./observable.ts";

/** What a screen reader is told next; `turn` grows so that the same sentence twice is read twice. */
export const announcement = new Observable({ turn: 0, text: "" });

export function announce(text: string): void {
  announcement.set({ turn: announcement.value.turn + 1, text });
}

/** Reads out that the result of what was on is held for review. `before` and `now` are since when it is, as for `announcePause`. */
export function announceReview(what: "hunt" | "tournament", before: number | undefined, now: number): void {
  if (now > 0 && before !== now) announce(`The result of the ${what} is under review.`);
}

/** Reads out that what is on was paused, or goes on. `before` and `now` are since when it is paused, 0 while it is not, `undefined` when nothing was known. */
export function announcePause(what: "hunt" | "tournament", before: number | undefined, now: number): void {
  if (now > 0 && before !== now) announce(`The ${what} is paused.`);
  else if (now === 0 && before !== undefined && before > 0) announce(`The ${what} goes on.`);
}
