import { z } from "zod";
import { EPOCH_BOUNDS } from "../../clock.ts";
import { MAX_TOTAL_POINTS } from "../../stores/hunts/ledgerRules.ts";
import { lineOfText } from "../../text.ts";
import { reason } from "../admin/reason.ts";
import { prizeRange } from "../prizes/definition.ts";

/**
 * What a hunt's definition may hold. Times are epoch milliseconds, durations milliseconds, lengths characters as a person
 * counts them.
 */
export const HUNT_BOUNDS = {
  name: 80,
  /** The shortest duration that a phase or a clue may have, where it has one at all. */
  shortestMs: 1000,
  /** Seven days. */
  longestMs: 604_800_000,
  attempts: 20,
  winners: 100,
  clues: 500,
  repeat: 1_000_000,
  /** `clues × repeat`: instances are counted in an INT column, and a rebuild of the ledger reads one row for each. */
  instances: 5_000_000,
  /** Of all instances together: what the ledger can keep of a score beside the order of solves, in one sortable number. */
  totalPoints: MAX_TOTAL_POINTS,
  points: 10_000,
  prompt: 500,
  answers: 20,
  answer: 100,
  /** UTF-16 units of an answer, and of what a player sends as one. */
  answerUnits: 200,
  prizes: 20,
} as const;

/** A character may carry marks and joiners; this many UTF-16 units each are stored at most. */
const UNITS_A_CHARACTER = 4;

const line = (most: number) => lineOfText(most, most * UNITS_A_CHARACTER);
/** The column holds 128 units, fewer than 80 characters may have. */
const NAME_UNITS = 128;
const whole = (min: number, max: number) => z.int().min(min).max(max);
const duration = whole(HUNT_BOUNDS.shortestMs, HUNT_BOUNDS.longestMs);
const durationOrNone = z
  .int()
  .refine((ms) => ms === 0 || (ms >= HUNT_BOUNDS.shortestMs && ms <= HUNT_BOUNDS.longestMs), {
    error: `must be 0 or from ${HUNT_BOUNDS.shortestMs} to ${HUNT_BOUNDS.longestMs}`,
  });

const clue = z.strictObject({
  type: z.string().regex(/^[a-z0-9_-]{1,24}$/, "must be 1 to 24 of a-z, 0-9, _ and -"),
  prompt: line(HUNT_BOUNDS.prompt),
  answers: z
    .array(lineOfText(HUNT_BOUNDS.answer, HUNT_BOUNDS.answerUnits))
    .min(1)
    .max(HUNT_BOUNDS.answers)
    .meta({ writeOnly: true }),
  points: whole(1, HUNT_BOUNDS.points),
  /** Whether a player who has solved it may have it again. */
  repeatable: z.boolean().optional(),
});

/** A hunt as an operator defines it; unknown fields are refused. */
export const huntDefinition = z
  .strictObject({
    name: lineOfText(HUNT_BOUNDS.name, NAME_UNITS),
    startsAt: whole(EPOCH_BOUNDS.earliest, EPOCH_BOUNDS.latest),
    discoveryMs: durationOrNone,
    solvingMs: duration,
    revealMs: durationOrNone,
    clueTtlMs: duration,
    attempts: whole(1, HUNT_BOUNDS.attempts),
    winners: whole(1, HUNT_BOUNDS.winners),
    /** What the winners are paid; nothing unless given. Ranks beyond `winners` get nothing, so no prize may be theirs. */
    prizes: z.array(prizeRange).max(HUNT_BOUNDS.prizes).optional(),
    repeat: whole(1, HUNT_BOUNDS.repeat),
    /** How many clues one player may solve; any number unless given. */
    perPlayer: whole(1, HUNT_BOUNDS.instances).optional(),
    /** How long after a clue is closed its player gets no other; 0 unless given. */
    cooldownMs: durationOrNone.optional(),
    /** Whether solving ends as soon as every clue is solved. */
    endWhenExhausted: z.boolean().optional(),
    /** Whether the result is held, and nothing paid, before an operator has released it. */
    review: z.boolean().optional(),
    clues: z.array(clue).min(1).max(HUNT_BOUNDS.clues),
  })
  .superRefine(({ prizes = [], winners }, context) => {
    for (const [at, { to }] of prizes.entries())
      if (to > winners)
        context.addIssue({
          code: "custom",
          path: ["prizes", at, "to"],
          message: `must be at most ${winners}, for there are no more winners`,
        });
  })
  .refine((hunt) => hunt.clues.length * hunt.repeat <= HUNT_BOUNDS.instances, {
    path: ["repeat"],
    error: `clues × repeat must be at most ${HUNT_BOUNDS.instances}`,
  })
  .refine((hunt) => sumOfPoints(hunt.clues) * hunt.repeat <= HUNT_BOUNDS.totalPoints, {
    path: ["repeat"],
    error: `the points of all clues × repeat must be at most ${HUNT_BOUNDS.totalPoints}`,
  });

/** A hunt as an operator defines it. It holds answers in clear: seal them (`answers.ts`) before anything is stored. */
export type HuntDefinition = z.output<typeof huntDefinition>;

/** What replaces the definition of a hunt, and why. */
export const huntCorrection = z.strictObject({ reason, definition: huntDefinition });
export type HuntCorrection = z.output<typeof huntCorrection>;

function sumOfPoints(clues: readonly { points: number }[]): number {
  return clues.reduce((sum, { points }) => sum + points, 0);
}
