import { z } from "zod";
import { reason } from "../admin/reason.ts";

/** The shortest pause, and the longest one, which is also as long as one lasts unless told: seven days. */
const SHORTEST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 604_800_000;

/** Why an event is paused, and after how many milliseconds it goes on by itself. */
export const pauseRequest = z.strictObject({
  reason,
  ms: z.int().min(SHORTEST_PAUSE_MS).max(LONGEST_PAUSE_MS).default(LONGEST_PAUSE_MS),
});
export type PauseRequest = z.output<typeof pauseRequest>;

/** Why an operator does what takes no other parameters. */
export const reasonOnly = z.strictObject({ reason });

/** Why an event is cancelled: players are told, and nobody need say. */
export const cancelRequest = z.strictObject({ reason: reason.optional() });
