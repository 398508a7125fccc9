import { z } from "zod";
import { HUNT_BOUNDS, huntCorrection, huntDefinition } from "../actors/hunts/definition.ts";
import type { HuntOperations } from "../actors/hunts/HuntOperations.ts";
import { HUNT_PHASES } from "../entities/hunts/Hunt.ts";
import { eventCommands } from "./eventCommands.ts";
import { eventOperations } from "./events.ts";
import {
  amountOf,
  cancelField,
  changesLimit,
  eventChange,
  pausedFields,
  reviewField,
  reviewReport,
  time,
} from "./fields.ts";

/** What these need of the node. */
export interface HuntOperationServices {
  huntOperations: HuntOperations;
}

/** A hunt of 500 clues, each as long as its bounds allow, in bytes; only operators may send this much. */
const DEFINITION_LIMIT = 2 * 1024 * 1024;

const summary = z.object({
  id: z.string(),
  name: z.string(),
  phase: z.enum(HUNT_PHASES),
  startsAt: time,
  phaseEndsAt: time.nullable(),
  prizes: z.enum(["paid", "unpaid"]).optional(),
  ...pausedFields,
  ...reviewField,
  ...cancelField,
});
const ranked = z.object({ rank: z.int(), playerId: z.string(), name: z.string(), points: z.number() });
const review = reviewReport.extend({
  players: z.int(),
  winners: z.array(ranked.extend({ prizes: z.array(amountOf) })),
  totals: z.array(amountOf),
});
const details = summary.extend({
  clueTtlMs: z.int(),
  attempts: z.int(),
  winners: z.int(),
  clues: z.int(),
  instances: z.int(),
  players: z.int(),
  solved: z.int(),
  standings: z.array(ranked),
});

const hunts = eventOperations<HuntOperationServices, typeof summary>("hunt", summary);

/** What operators do to hunts. */
export const HUNT_COMMANDS = [
  hunts.create({
    description: "Creates a hunt. With a request id, a repeat finds the hunt that the first call made.",
    args: huntDefinition,
    bodyLimit: DEFINITION_LIMIT,
    run: (definition, id, { huntOperations }, call) => huntOperations.create(id, definition, call),
  }),
  ...eventCommands(hunts, {
    shortestMs: HUNT_BOUNDS.shortestMs,
    longestMs: HUNT_BOUNDS.longestMs,
    descriptions: {
      start: "Ends the scheduled phase now.",
      end: "Ends the running phase now.",
      extend: "Moves the end of the running phase, or of the solving of one that is scheduled, and all that follows.",
      postpone: "Moves the start of one that is scheduled, and all that follows.",
      pause: "Nothing is given out or taken until it is resumed, after `ms` by itself.",
      resume: "Goes on with a paused one, and gives back the time.",
      hold: "Holds the result, once it is known, until it is released or the hunt is cancelled.",
      release: "Has the result paid, now where it is held, else as soon as it is known.",
      cancel: "Cancels it. Winners who have been paid keep what they have.",
    },
    operationsOf: ({ huntOperations }: HuntOperationServices) => huntOperations,
  }),
  hunts.act("correct", {
    description: "Replaces the definition of one that is scheduled.",
    args: huntCorrection.shape,
    bodyLimit: DEFINITION_LIMIT,
    run: (id, { huntOperations }, call, correction) => huntOperations.correct(id, correction, call),
  }),
];

/** What is asked of hunts. */
export const HUNT_QUERIES = [
  hunts.list({
    description: "Hunts that are on and coming, soonest first, then those that ended last.",
    run: ({ huntOperations }) => huntOperations.list(),
  }),
  hunts.read("", {
    description: "One hunt by itself, with its figures and the top ten.",
    answer: details,
    run: (id, { huntOperations }) => huntOperations.get(id),
  }),
  hunts.read("Review", {
    description: "The held result of a hunt as it would be paid; nobody's before it is held.",
    answer: review,
    endpoint: { method: "GET", path: "/hunts/:huntId/review" },
    run: (id, { huntOperations }) => huntOperations.review(id),
  }),
  hunts.read("Changes", {
    description: "What operators did to a hunt with a reason, latest first.",
    args: { limit: changesLimit },
    answer: z.array(eventChange),
    run: (id, { huntOperations }, { limit }) => huntOperations.changes(id, limit),
  }),
];
