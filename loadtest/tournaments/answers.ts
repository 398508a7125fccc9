import { z } from "zod";

/** What the tournament room answers and sends (docs/protocol.md); anything else is a protocol error. */
export const submitAnswer = z.object({ rank: z.int().min(1), best: z.number(), entries: z.int().min(1) });

export const standingsMessage = z.object({
  rows: z.array(z.object({ rank: z.int().min(1), playerId: z.string(), name: z.string(), score: z.number() })),
  total: z.int().min(0),
});
export const closedMessage = z.object({ phase: z.string(), acceptsUntil: z.int() });
export const settledMessage = z.object({
  rank: z.int().min(1).nullable(),
  prizes: z.array(z.object({ item: z.string(), amount: z.string() })),
});

/** The details of `wrong_phase`. */
export const wrongPhase = z.object({ phase: z.string() });

/** A tournament as `GET /api/tournaments` and `GET /api/tournaments/:id` have it. */
export const tournamentList = z.object({ tournaments: z.array(z.object({ id: z.string(), phase: z.string() })) });
export const rules = z.object({
  operator: z.enum(["best", "sum", "last", "increment"]),
  order: z.enum(["desc", "asc"]),
  precision: z.int().min(0),
});
export type Rules = z.output<typeof rules>;
