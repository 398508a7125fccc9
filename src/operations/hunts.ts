import { z } from "zod";
import { HUNT_BOUNDS, huntCorrection, huntDefinition } from "../actors/hunts/definition.ts";
import type { HuntOperations } from "../actors/hunts/HuntOperations.ts";
import { HUNT_PHASES } from "../entities/hunts/Hunt.ts";
import { idOf } from "../ids.ts";
import { eventCommands } from "./eventCommands.ts";
import {
  amountOf,
  cancelField,
  changesLimit,
  created,
  eventChange,
  none,
  pausedFields,
  reviewField,
  reviewReport,
  time,
} from "./fields.ts";
import { type Endpoint, operationsWith } from "./Operation.ts";

/** What these need of the node. */
export interface HuntOperationServices {
  huntOperations: HuntOperations;
}

/** A hunt of 500 clues, each as long as its bounds allow, in bytes; only operators may send this much. */
const DEFINITION_LIMIT = 2 * 1024 * 1024;

const { command, query } = operationsWith<HuntOperationServices>();

const named = z.strictObject({ huntId: idOf("hunt") });

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

/** `POST /api/hunts/:huntId/<action>`. */
const at = (action: string, more: Pick<Endpoint, "bodyLimit"> = {}) =>
  ({ method: "POST", path: `/hunts/:huntId/${action}`, ...more }) as const;

/** What operators do to hunts. */
export const HUNT_COMMANDS = [
  command("createHunt", {
    description: "Creates a hunt. With a request id, a repeat finds the hunt that the first call made.",
    args: huntDefinition,
    answer: created,
    endpoint: {
      method: "POST",
      path: "/hunts",
      status: 201,
      bodyLimit: DEFINITION_LIMIT,
      location: ({ id }) => `/api/hunts/${id}`,
    },
    run: (definition, { huntOperations }, call) => huntOperations.create(definition, call),
  }),
  ...eventCommands({
    command,
    noun: "hunt",
    id: idOf("hunt"),
    shortestMs: HUNT_BOUNDS.shortestMs,
    longestMs: HUNT_BOUNDS.longestMs,
    summary,
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
  command("correctHunt", {
    description: "Replaces the definition of one that is scheduled.",
    args: huntCorrection.extend(named.shape),
    answer: summary,
    endpoint: at("correct", { bodyLimit: DEFINITION_LIMIT }),
    run: ({ huntId, ...correction }, { huntOperations }, call) => huntOperations.correct(huntId, correction, call),
  }),
];

/** What is asked of hunts. */
export const HUNT_QUERIES = [
  query("hunts", {
    description: "Hunts that are on and coming, soonest first, then those that ended last.",
    args: none,
    answer: z.array(summary),
    run: (_args, { huntOperations }) => huntOperations.list(),
  }),
  query("hunt", {
    description: "One hunt by itself, with its figures and the top ten.",
    args: named,
    answer: details,
    run: ({ huntId }, { huntOperations }) => huntOperations.get(huntId),
  }),
  query("huntReview", {
    description: "The held result of a hunt as it would be paid; nobody's before it is held.",
    args: named,
    answer: review,
    endpoint: { method: "GET", path: "/hunts/:huntId/review" },
    run: ({ huntId }, { huntOperations }) => huntOperations.review(huntId),
  }),
  query("huntChanges", {
    description: "What operators did to a hunt with a reason, latest first.",
    args: named.extend({ limit: changesLimit }),
    answer: z.array(eventChange),
    run: ({ huntId, limit }, { huntOperations }) => huntOperations.changes(huntId, limit),
  }),
];
