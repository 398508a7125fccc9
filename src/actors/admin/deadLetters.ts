import { z } from "zod";
import type { DeadLetter } from "../runtime/DeadLetters.ts";
import type { MessageId } from "../runtime/messages.ts";

/** Dead letters as operators have them. Those that name one throw `not_found` when there is none by that name. */
export interface DeadLetterOffice {
  /** Newest first. */
  list(limit: number): Promise<DeadLetter[]>;
  /** Delivers it again, under its old key. */
  replay(id: MessageId): Promise<void>;
  /** It will never be delivered. */
  discard(id: MessageId): Promise<void>;
}

const actor = z.strictObject({
  kind: z.string().regex(/^[a-z0-9_-]{1,32}$/, "must be a kind of actor"),
  id: z.string().min(1).max(128),
});

/** The `from` of a dead letter as it is listed. */
export const deadLetterId = z.strictObject({
  from: actor.extend({ version: z.int().min(0), index: z.int().min(0) }),
});
