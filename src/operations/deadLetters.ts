import { z } from "zod";
import {
  type DeadLetterOperations,
  type DeadTaskOperations,
  deadLetterId,
  deadTask,
  failingTimer,
  type TimerOperations,
} from "../actors/admin/deadLetters.ts";
import { callOptions } from "../actors/admin/operatorCall.ts";
import { limitOf, nothing, time } from "./fields.ts";
import { operationsWith } from "./Operation.ts";

/** What these need of the node. */
export interface DeadLetterOperationServices {
  deadLetters: DeadLetterOperations;
  failingTimers: TimerOperations;
  deadTasks: DeadTaskOperations;
}

const { command, query } = operationsWith<DeadLetterOperationServices>();

const actor = z.object({ kind: z.string(), id: z.string() });
const from = actor.extend({ version: z.int(), index: z.int() });
const failed = { attempts: z.int(), error: z.string() };
const died = { createdAt: time, diedAt: time, ...failed };

/** An endpoint that answers with what its body named. */
const at = <A extends object>(action: string) =>
  ({ method: "POST", path: `/dead-letters/${action}`, body: (_answer: unknown, named: A) => named }) as const;

/** What operators do to what cannot go on by itself. */
export const DEAD_LETTER_COMMANDS = [
  command("replayDeadLetter", {
    description: "Delivers a dead letter again, under its old key.",
    args: deadLetterId,
    answer: nothing,
    endpoint: at("replay"),
    run: ({ from }, { deadLetters }, call) => deadLetters.replay(from, callOptions(call)),
  }),
  command("discardDeadLetter", {
    description: "A dead letter will never be delivered.",
    args: deadLetterId,
    answer: nothing,
    endpoint: at("discard"),
    run: ({ from }, { deadLetters }, call) => deadLetters.discard(from, callOptions(call)),
  }),
  command("retryTimer", {
    description: "Tries a failing timer again at once.",
    args: failingTimer,
    answer: nothing,
    endpoint: at("retry-timer"),
    run: (args, { failingTimers }, call) => failingTimers.retry(args.actor, args.timer, callOptions(call)),
  }),
  command("replayTask", {
    description: "Runs a dead task again, under its old key.",
    args: deadTask,
    answer: nothing,
    endpoint: at("replay-task"),
    run: ({ name, key }, { deadTasks }, call) => deadTasks.replay(name, key, callOptions(call)),
  }),
  command("discardTask", {
    description: "A dead task never runs again.",
    args: deadTask,
    answer: nothing,
    endpoint: at("discard-task"),
    run: ({ name, key }, { deadTasks }, call) => deadTasks.discard(name, key, callOptions(call)),
  }),
];

/** What is asked of what cannot go on by itself. */
export const DEAD_LETTER_QUERIES = [
  query("deadLetters", {
    description: "Dead letters, failing timers and dead tasks, newest first, so many of each.",
    args: z.strictObject({ limit: limitOf(200, 50) }),
    answer: z.object({
      letters: z.array(
        z.union([
          z.object({ from, to: actor, method: z.string(), ...died }),
          z.object({ from, topic: z.string(), type: z.string(), ...died }),
        ]),
      ),
      timers: z.array(z.object({ actor, timer: z.string(), dueAt: time, failedAt: time, againAt: time, ...failed })),
      tasks: z.array(z.object({ name: z.string(), key: z.string(), ...died })),
    }),
    endpoint: { method: "GET", path: "/dead-letters" },
    run: async ({ limit }, { deadLetters, failingTimers, deadTasks }) => {
      const [letters, timers, tasks] = await Promise.all([
        deadLetters.list(limit),
        failingTimers.list(limit),
        deadTasks.list(limit),
      ]);
      return { letters, timers, tasks };
    },
  }),
];
