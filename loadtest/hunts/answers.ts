import { z } from "zod";

/** What the hunt room answers and sends (docs/protocol.md); anything else is a protocol error. */
export const clueCard = z.object({
  assignmentId: z.string().min(1),
  clueId: z.string(),
  type: z.string(),
  prompt: z.string(),
  points: z.int(),
  expiresAt: z.int(),
});
export type ClueCard = z.output<typeof clueCard>;

export const claimAnswer = z.union([
  z.object({ waiting: z.literal(true), position: z.int().min(0), exhausted: z.literal(true).optional() }),
  clueCard,
]);
export const solveAnswer = z.object({
  correct: z.boolean(),
  points: z.int(),
  total: z.int(),
  attemptsLeft: z.int().min(0),
});

export const phaseMessage = z.object({ phase: z.string(), endsAt: z.int() });
export const revokedMessage = z.object({ assignmentId: z.string() });
