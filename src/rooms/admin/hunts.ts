import { z } from "zod";
import { pauseRequest, reasonOnly } from "../../actors/events/requests.ts";
import { HUNT_BOUNDS, huntCorrection, parseHuntDefinition } from "../../actors/hunts/definition.ts";
import type { HuntOperations } from "../../actors/hunts/HuntOperations.ts";
import { idOf } from "../../ids.ts";
import { validate } from "../../validate.ts";
import { changesLimit, type Verbs } from "./verbs.ts";

const named = z.strictObject({ huntId: idOf("hunt") });
const extension = named.extend({ ms: z.int().min(HUNT_BOUNDS.shortestMs).max(HUNT_BOUNDS.longestMs) });

const correction = huntCorrection.extend(named.shape);
const pauseOf = pauseRequest.extend(named.shape);
const reasoned = reasonOnly.extend(named.shape);
const changesOf = named.extend({ limit: changesLimit });

export interface HuntVerbServices {
  huntOperations: HuntOperations;
}

export const HUNT_VERBS: Verbs<HuntVerbServices> = {
  commands: {
    createHunt: (args, { huntOperations }, call) => huntOperations.create(parseHuntDefinition(args), call),
    startHunt: (args, { huntOperations }, call) => huntOperations.start(validate(named, args).huntId, call),
    extendHunt: (args, { huntOperations }, call) => {
      const { huntId, ms } = validate(extension, args);
      return huntOperations.extend(huntId, ms, call);
    },
    postponeHunt: (args, { huntOperations }, call) => {
      const { huntId, ms } = validate(extension, args);
      return huntOperations.postpone(huntId, ms, call);
    },
    correctHunt: (args, { huntOperations }, call) => {
      const { huntId, ...corrected } = validate(correction, args);
      return huntOperations.correct(huntId, corrected, call);
    },
    pauseHunt: (args, { huntOperations }, call) => {
      const { huntId, ...pause } = validate(pauseOf, args);
      return huntOperations.pause(huntId, pause, call);
    },
    resumeHunt: (args, { huntOperations }, call) => {
      const { huntId, reason } = validate(reasoned, args);
      return huntOperations.resume(huntId, reason, call);
    },
    holdHunt: (args, { huntOperations }, call) => {
      const { huntId, reason } = validate(reasoned, args);
      return huntOperations.hold(huntId, reason, call);
    },
    releaseHunt: (args, { huntOperations }, call) => {
      const { huntId, reason } = validate(reasoned, args);
      return huntOperations.release(huntId, reason, call);
    },
    endHunt: (args, { huntOperations }, call) => huntOperations.end(validate(named, args).huntId, call),
    cancelHunt: (args, { huntOperations }, call) => huntOperations.cancel(validate(named, args).huntId, call),
  },
  queries: {
    hunts: (_args, { huntOperations }) => huntOperations.list(),
    hunt: (args, { huntOperations }) => huntOperations.get(validate(named, args).huntId),
    huntReview: (args, { huntOperations }) => huntOperations.review(validate(named, args).huntId),
    huntChanges: (args, { huntOperations }) => {
      const { huntId, limit } = validate(changesOf, args);
      return huntOperations.changes(huntId, limit);
    },
  },
};
