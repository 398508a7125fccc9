import type { Audited } from "../../entities/audit.ts";
import type { WireError } from "../../errors.ts";
import type { Carried } from "../../tracing.ts";
import type { MessageId } from "./messages.ts";

/** What nodes say to each other. One message is one JSON text. */
export type NodeMessage =
  | CallMessage
  | ReplyMessage
  /** A domain's own message: rooms and services of one domain talk across nodes with it. */
  | { type: "signal"; topic: string; payload: unknown }
  /** A draining node has released actors (`all`: it has none left): look now. */
  | { type: "released"; from: string; all: boolean };

export interface CallMessage {
  type: "call";
  /** Correlates the reply; unique at its sender. */
  call: number;
  from: string;
  request: ActorRequest;
}

/** One call of an actor's method. With `audit` an operator's: its line is stored with the turn. */
export interface ActorRequest extends Audited {
  kind: string;
  id: string;
  method: string;
  args: unknown[];
  /** A caller's own id: its answer is stored with the turn, and a repeat gets it back. */
  requestId?: string;
  /**
   * The call is a message: whose turn made it, which the receiver's mark goes by. `isRepeat`: it may have been delivered before.
   * A node of the version before goes by the request id, which is made of the same.
   */
  told?: MessageId & { isRepeat: boolean };
  /** An attempt at this call before this one may have begun, and its node have died of it. */
  isRepeat?: boolean;
  /** What is left of the deadline, in milliseconds, when the message is sent. */
  leftMs: number;
  /** The actors whose turns wait for this call, outermost first; coming back to one of them is a cycle. */
  chain: string[];
  /** Unique among calls: of one that a turn waits for, or that may be withdrawn. */
  edge?: string;
  /** What makes repeats of a request id the same, where their arguments differ; the arguments unless told. */
  sameAs?: unknown;
  /** The trace that it is a part of. */
  trace?: Carried | undefined;
}

export interface ReplyMessage {
  type: "reply";
  call: number;
  outcome: CallOutcome;
}

export type CallOutcome =
  | { kind: "ok"; value: unknown }
  /**
   * `isOwn`: the actor's own turn threw it, or never ended; else it was not reached, or could not be stored. `isGivenUp`: the turn had
   * begun, and the watchdog or the database gave it up; of the database only what it does for others tells whether that is the turn's doing.
   */
  | { kind: "error"; error: WireError; isOwn?: boolean; isGivenUp?: boolean }
  /**
   * The actor is not here (any more); its owner, when known. Nothing has happened. `unknownVersion`: its state is of this version, which is later
   * than any that the node knows.
   */
  | { kind: "moved"; owner?: string; unknownVersion?: number };

/** One key for maps and chains. */
export const actorKey = (address: { kind: string; id: string }): string => `${address.kind}/${address.id}`;
