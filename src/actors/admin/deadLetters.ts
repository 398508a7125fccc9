import { z } from "zod";
import type { DeadTask } from "../../entities/jobs/TaskBook.ts";
import type { ActorAddress } from "../runtime/actorRow.ts";
import type { CallOptions } from "../runtime/Calls.ts";
import type { DeadEvent } from "../runtime/DeadEvents.ts";
import type { DeadLetter } from "../runtime/DeadLetters.ts";
import type { FailingTimer } from "../runtime/FailingTimers.ts";
import type { MessageId } from "../runtime/messages.ts";

/** Dead letters as operators have them. Those that name one throw `not_found` when there is none by that name. */
export interface DeadLetterOperations {
  /** Newest first. */
  list(limit: number): Promise<Array<DeadLetter | DeadEvent>>;
  /** Delivers a message again, under its old key, or publishes an event now. */
  replay(id: MessageId, options: CallOptions): Promise<void>;
  /** It will never be delivered. */
  discard(id: MessageId, options: CallOptions): Promise<void>;
}

/** Timers that keep failing, as operators have them. */
export interface TimerOperations {
  /** Newest first. */
  list(limit: number): Promise<FailingTimer[]>;
  /** Tries it again at once. Throws `not_found` when it does not fail. */
  retry(actor: ActorAddress, timer: string, options: CallOptions): Promise<void>;
}

/** Tasks that failed for good, as operators have them. Those that name one throw `not_found` when it is none. */
export interface DeadTaskOperations {
  /** Newest first. */
  list(limit: number): Promise<DeadTask[]>;
  /** It runs again, under its old key. */
  replay(name: string, key: string, options: CallOptions): Promise<void>;
  /** It never runs again. */
  discard(name: string, key: string, options: CallOptions): Promise<void>;
}

const actor = z.strictObject({
  kind: z.string().regex(/^[a-z0-9_-]{1,32}$/, "must be a kind of actor"),
  id: z.string().min(1).max(128),
});

/** The `from` of a dead letter as it is listed. */
export const deadLetterId = z.strictObject({
  from: actor.extend({ version: z.int().min(0), index: z.int().min(0) }),
});

/** A failing timer as it is listed. */
export const failingTimer = z.strictObject({ actor, timer: z.string().min(1).max(128) });

/** A dead task as it is listed. */
export const deadTask = z.strictObject({ name: z.string().min(1).max(32), key: z.string().min(1).max(64) });
