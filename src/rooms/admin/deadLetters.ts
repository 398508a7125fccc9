import { z } from "zod";
import { type DeadLetterOffice, deadLetterId, failingTimer, type TimerOffice } from "../../actors/admin/deadLetters.ts";
import { validate } from "../../validate.ts";
import type { Verbs } from "./verbs.ts";

export interface DeadLetterVerbServices {
  deadLetters: DeadLetterOffice;
  failingTimers: TimerOffice;
}

const listed = z.strictObject({ limit: z.int().min(1).max(200).default(50) });

export const DEAD_LETTER_VERBS: Verbs<DeadLetterVerbServices> = {
  commands: {
    replayDeadLetter: (args, { deadLetters }) => deadLetters.replay(validate(deadLetterId, args).from),
    discardDeadLetter: (args, { deadLetters }) => deadLetters.discard(validate(deadLetterId, args).from),
    retryTimer: (args, { failingTimers }) => {
      const { actor, timer } = validate(failingTimer, args);
      return failingTimers.retry(actor, timer);
    },
  },
  queries: {
    deadLetters: async (args, { deadLetters, failingTimers }) => {
      const { limit } = validate(listed, args);
      return { letters: await deadLetters.list(limit), timers: await failingTimers.list(limit) };
    },
  },
};
