import { z } from "zod";
import { pauseRequest, reasonOnly } from "../../actors/events/requests.ts";
import { HUNT_BOUNDS, huntCorrection, parseHuntDefinition } from "../../actors/hunts/definition.ts";
import type { HuntOffice } from "../../actors/hunts/HuntOffice.ts";
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
  huntOffice: HuntOffice;
}

export const HUNT_VERBS: Verbs<HuntVerbServices> = {
  commands: {
    createHunt: (args, { huntOffice }, call) => huntOffice.create(parseHuntDefinition(args), call),
    startHunt: (args, { huntOffice }, call) => huntOffice.start(validate(named, args).huntId, call),
    extendHunt: (args, { huntOffice }, call) => {
      const { huntId, ms } = validate(extension, args);
      return huntOffice.extend(huntId, ms, call);
    },
    postponeHunt: (args, { huntOffice }, call) => {
      const { huntId, ms } = validate(extension, args);
      return huntOffice.postpone(huntId, ms, call);
    },
    correctHunt: (args, { huntOffice }, call) => {
      const { huntId, ...corrected } = validate(correction, args);
      return huntOffice.correct(huntId, corrected, call);
    },
    pauseHunt: (args, { huntOffice }, call) => {
      const { huntId, ...pause } = validate(pauseOf, args);
      return huntOffice.pause(huntId, pause, call);
    },
    resumeHunt: (args, { huntOffice }, call) => {
      const { huntId, reason } = validate(reasoned, args);
      return huntOffice.resume(huntId, reason, call);
    },
    endHunt: (args, { huntOffice }, call) => huntOffice.end(validate(named, args).huntId, call),
    cancelHunt: (args, { huntOffice }, call) => huntOffice.cancel(validate(named, args).huntId, call),
  },
  queries: {
    hunts: (_args, { huntOffice }) => huntOffice.list(),
    hunt: (args, { huntOffice }) => huntOffice.get(validate(named, args).huntId),
    huntChanges: (args, { huntOffice }) => {
      const { huntId, limit } = validate(changesOf, args);
      return huntOffice.changes(huntId, limit);
    },
  },
};
