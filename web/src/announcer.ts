import { Observable } from "./observable.ts";

/** What a screen reader is told next; `turn` grows so that the same sentence twice is read twice. */
export const announcement = new Observable({ turn: 0, text: "" });

export function announce(text: string): void {
  announcement.set({ turn: announcement.value.turn + 1, text });
}
