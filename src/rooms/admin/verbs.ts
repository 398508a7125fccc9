import { z } from "zod";
import type { OperatorCall } from "../../actors/admin/operatorCall.ts";

/** Something that an operator does or a viewer reads. It validates its own arguments, which are `{}` when there are none. */
export type Verb<S> = (args: unknown, services: S, call: OperatorCall) => Promise<unknown>;

/** What the admin room takes for one domain, by name; `S` is what it needs for that. */
export interface Verbs<S> {
  /** What operators may change. */
  commands: Record<string, Verb<S>>;
  /** What viewers may read. */
  queries: Record<string, Verb<S>>;
}

/** How many changes that operators have made are read. */
export const changesLimit = z.int().min(1).max(200).default(20);
