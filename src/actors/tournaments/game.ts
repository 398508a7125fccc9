import { z } from "zod";
import { LARGEST_SCORE, MOST_DIGITS, unitsOf } from "../../entities/tournaments/precision.ts";
import { lineOfText } from "../../text.ts";

/** What a game may be. */
const GAME_BOUNDS = {
  name: 40,
  /** A character may carry marks and joiners; the column holds this many UTF-16 units. */
  nameUnits: 64,
  /** As much as a client may send in a room. */
  submissionsPerMinute: 1200,
} as const;

/** What a game goes by. */
export const gameId = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,31}$/, "must be a game's id: 1 to 32 of a-z, 0-9 and _, and a letter first");

const score = z.number().min(-LARGEST_SCORE).max(LARGEST_SCORE);

type Bounds = Record<"precision" | "minScore" | "maxScore", number>;

/** A bound is a score as any other: it has the game's digits, and can be kept. */
function boundsAreScores({ precision, ...bounds }: Bounds, context: z.RefinementCtx): void {
  const largest = LARGEST_SCORE / 10 ** precision;
  for (const [field, bound] of [
    ["minScore", bounds.minScore],
    ["maxScore", bounds.maxScore],
  ] as const) {
    const units = unitsOf(bound, precision);
    const fault =
      units === undefined
        ? `must have at most ${precision} digits after the point, the game's precision`
        : Math.abs(units) > LARGEST_SCORE
          ? `must be at most ${largest} either way at a precision of ${precision}`
          : undefined;
    if (fault !== undefined) context.addIssue({ code: "custom", path: [field], message: fault });
  }
}

/** A game as an operator defines it. */
export const gameDefinition = z
  .strictObject({
    id: gameId,
    name: lineOfText(GAME_BOUNDS.name, GAME_BOUNDS.nameUnits),
    /** Digits that a score may have after the point. */
    precision: z.int().min(0).max(MOST_DIGITS).default(0),
    /** Whether more (`desc`) or less is better. */
    order: z.enum(["desc", "asc"]).default("desc"),
    /** What a score may be, bounds included. */
    minScore: score,
    maxScore: score,
    /** How often one player may submit to one tournament. */
    submissionsPerMinute: z.int().min(1).max(GAME_BOUNDS.submissionsPerMinute),
    /** Whether each score must come of a run that was begun. */
    runs: z.enum(["optional", "required"]).default("optional"),
  })
  .refine(({ minScore, maxScore }) => minScore < maxScore, {
    path: ["maxScore"],
    error: "must be more than minScore",
  })
  .superRefine(boundsAreScores);

export type GameDefinition = z.output<typeof gameDefinition>;
