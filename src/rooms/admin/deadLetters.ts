import { z } from "zod";
import { type DeadLetterOffice, deadLetterId } from "../../actors/admin/deadLetters.ts";
import { validate } from "../../validate.ts";
import type { Verbs } from "./verbs.ts";

export interface DeadLetterVerbServices {
  deadLetters: DeadLetterOffice;
}

const listed = z.strictObject({ limit: z.int().min(1).max(200).default(50) });

export const DEAD_LETTER_VERBS: Verbs<DeadLetterVerbServices> = {
  commands: {
    replayDeadLetter: (args, { deadLetters }) => deadLetters.replay(validate(deadLetterId, args).from),
    discardDeadLetter: (args, { deadLetters }) => deadLetters.discard(validate(deadLetterId, args).from),
  },
  queries: {
    deadLetters: async (args, { deadLetters }) => ({ letters: await deadLetters.list(validate(listed, args).limit) }),
  },
};
