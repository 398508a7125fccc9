import { z } from "zod";
import { lineOfText } from "../../text.ts";
import { validate } from "../../validate.ts";

/** What a game may be. */
const GAME_BOUNDS = {
  name: 40,
  /** A character may carry marks and joiners; the column holds this many UTF-16 units. */
  nameUnits: 64,
  /** Either way: 5,000,000 of these sum to a number that a double still tells from its neighbours well enough to rank by. */
  score: 1e15,
  /** As much as a client may send in a room. */
  submissionsPerMinute: 1200,
} as const;

/** What a game goes by. */
export const gameId = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,31}$/, "must be a game's id: 1 to 32 of a-z, 0-9 and _, and a letter first");

const score = z.number().min(-GAME_BOUNDS.score).max(GAME_BOUNDS.score);

const gameDefinition = z
  .strictObject({
    id: gameId,
    name: lineOfText(GAME_BOUNDS.name, GAME_BOUNDS.nameUnits),
    /** What a score may be, bounds included. */
    minScore: score,
    maxScore: score,
    /** How often one player may submit to one tournament. */
    submissionsPerMinute: z.int().min(1).max(GAME_BOUNDS.submissionsPerMinute),
  })
  .refine(({ minScore, maxScore }) => minScore < maxScore, {
    path: ["maxScore"],
    error: "must be more than minScore",
  });

export type GameDefinition = z.output<typeof gameDefinition>;

/** Throws `invalid_payload` with the paths of the bad fields. */
export function parseGameDefinition(input: unknown): GameDefinition {
  return validate(gameDefinition, input);
}
