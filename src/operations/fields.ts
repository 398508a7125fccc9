import { z } from "zod";
import { wholeNumber } from "../validate.ts";

/** The arguments of an operation that takes none. */
export const none = z.strictObject({});

/** The answer of a command that has nothing to say. */
export const nothing = z.void();

/** Epoch milliseconds. */
export const time = z.int();

/** How many of a list; in a query of HTTP it comes as text. */
export const limitOf = (most: number, usual: number) => wholeNumber(1, most).default(usual);

/** How many changes that operators have made are read. */
export const changesLimit = limitOf(200, 20);

/** What was created. */
export const created = z.object({ id: z.string() });

/** So much of an item. */
export const amountOf = z.object({ item: z.string(), amount: z.string() });

/** While an event is paused: since when, and when it goes on at the latest. */
export const pausedFields = { pausedAt: time.optional(), resumesAt: time.optional() };

/** While a result is held for review: since when. */
export const reviewField = { reviewSince: time.optional() };

/** Of an event that is cancelled, where its operator said why. */
export const cancelField = { cancelReason: z.string().optional() };

/** Of a result that is to be reviewed: who wants it, since when it is held, and its hash. */
export const reviewReport = z.object({
  orderedBy: z.enum(["definition", "operator"]).nullable(),
  since: time.nullable(),
  resultHash: z.string().nullable(),
});

/** What an operator did to an event, and why. */
export const eventChange = z.object({
  kind: z.string(),
  operatorId: z.string(),
  reason: z.string(),
  changedAt: time,
});
