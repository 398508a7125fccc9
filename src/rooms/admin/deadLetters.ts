import { z } from "zod";
import {
  type DeadLetterOperations,
  type DeadTaskOperations,
  deadLetterId,
  deadTask,
  failingTimer,
  type TimerOperations,
} from "../../actors/admin/deadLetters.ts";
import { validate } from "../../validate.ts";
import type { Verbs } from "./verbs.ts";

export interface DeadLetterVerbServices {
  deadLetters: DeadLetterOperations;
  failingTimers: TimerOperations;
  deadTasks: DeadTaskOperations;
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
    replayTask: (args, { deadTasks }) => {
      const { name, key } = validate(deadTask, args);
      return deadTasks.replay(name, key);
    },
    discardTask: (args, { deadTasks }) => {
      const { name, key } = validate(deadTask, args);
      return deadTasks.discard(name, key);
    },
  },
  queries: {
    deadLetters: async (args, { deadLetters, failingTimers, deadTasks }) => {
      const { limit } = validate(listed, args);
      const [letters, timers, tasks] = await Promise.all([
        deadLetters.list(limit),
        failingTimers.list(limit),
        deadTasks.list(limit),
      ]);
      return { letters, timers, tasks };
    },
  },
};
