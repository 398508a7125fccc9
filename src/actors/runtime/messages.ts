import { createHash } from "node:crypto";
import type { Carried } from "../../tracing.ts";
import type { OutgoingEvent } from "./Actor.ts";
import type { ActorAddress } from "./actorRow.ts";

/** Where a message stands among those of its sender: which turn made it, and the how manyth it is of that turn. */
export interface Position {
  /** The version that the turn's commit gave the actor. */
  version: number;
  /** From 0, events and messages counted together. */
  index: number;
}

/**
 * What a message is known by: the actor whose turn made it, and its place there. Unique by the turn's fence, the same on every
 * server, and in order for each actor. An actor's version is never lower than it once was, also when its row is made again or its
 * database has gone back (`ActorStore.create`, `claim`): else its messages would be taken for earlier ones that have been delivered.
 */
export interface MessageId extends ActorAddress, Position {}

/** An event that a turn has committed and that is in no feed yet. */
export interface EventRow extends MessageId {
  /** An `EventMessage` as JSON text. */
  message: string;
}

export interface EventMessage {
  topic: string;
  /** Epoch milliseconds. */
  at: number;
  event: OutgoingEvent;
}

/** A call of another actor that a turn has committed. */
export interface MessageRow extends MessageId {
  to: ActorAddress;
  /** A `MessageBody` as JSON text. */
  message: string;
  /** When it was committed, or given anew by an operator; epoch milliseconds. */
  createdAt: number;
  /** How often it has failed in the receiver's hands. */
  attempts: number;
  /** How often it could not reach the receiver. */
  unreached: number;
  /** It may have been delivered before. */
  isRepeat: boolean;
}

export interface MessageBody {
  method: string;
  args: unknown[];
  /** The turn that sent it, if that was recorded. */
  trace?: Carried | undefined;
}

/** What a turn leaves for others, not yet stored. */
export interface Outgoing {
  events: Array<{ index: number; message: string }>;
  messages: Array<{ index: number; to: ActorAddress; message: string }>;
}

/** What a turn has stored for others. */
export interface Stored {
  events: EventRow[];
  messages: MessageRow[];
  /** Earlier messages of the actor are in the table still: somebody has to read there what goes before these. */
  hasBacklog: boolean;
}

export const NOTHING_STORED: Stored = { events: [], messages: [], hasBacklog: false };

export function isAfter(one: Position, other: Position): boolean {
  return one.version > other.version || (one.version === other.version && one.index > other.index);
}

/** One text for a message: the feed's mark against doubles, and the key of maps. */
export function messageKey({ kind, id, version, index }: MessageId): string {
  return `${kind}/${id}/${version}.${index}`;
}

/** The same in the length of a request id: under it a node that does not know of marks yet applies a message once. */
export function messageRequestId(id: MessageId): string {
  return `m${createHash("sha256").update(messageKey(id)).digest("hex").slice(0, 40)}`;
}
