import { z } from "zod";
import type { QuestRecord } from "../../entities/quests/Quest.ts";
import { lineOfText } from "../../text.ts";
import { itemAmount } from "../prizes/definition.ts";
import { questCondition } from "./checks.ts";

/** Characters as a person counts them, and UTF-16 units as the column holds them. */
const LONGEST_TITLE = 80;
const TITLE_UNITS = 128;
/** Thirty days. */
const LONGEST_DELAY_MS = 30 * 24 * 3_600_000;
const MOST_REWARDS = 10;

/** What a quest goes by. */
export const questId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, "must be 1 to 32 of a-z, 0-9 and -");

/** The bounds of how often a repeatable quest can be completed, by a player. */
const MOST_ROUNDS = 10_000;
const LONGEST_COOLDOWN_MS = 366 * 24 * 3_600_000;

/** A quest as an operator defines it: every field but those of a repeatable one is required, unknown ones are refused. */
export const questDefinition = z
  .strictObject({
    id: questId,
    title: lineOfText(LONGEST_TITLE, TITLE_UNITS),
    condition: questCondition,
    delayMs: z.int().min(0).max(LONGEST_DELAY_MS),
    rewards: z
      .array(itemAmount)
      .max(MOST_REWARDS)
      .refine((rewards) => new Set(rewards.map(({ item }) => item)).size === rewards.length, {
        error: "must name each item once",
      }),
    repeatable: z.boolean(),
    cooldownMs: z.int().min(0).max(LONGEST_COOLDOWN_MS).optional(),
    maxRounds: z.int().min(1).max(MOST_ROUNDS).optional(),
  })
  .superRefine(({ repeatable, cooldownMs, maxRounds }, context) => {
    for (const [field, given] of Object.entries({ cooldownMs, maxRounds }))
      if (!repeatable && given !== undefined)
        context.addIssue({ code: "custom", path: [field], message: "goes with repeatable alone" });
  });

export type QuestDefinition = Omit<QuestRecord, "createdAt" | "retiredAt">;
