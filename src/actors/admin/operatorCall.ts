import { createHash } from "node:crypto";
import type { Rng } from "../../clock.ts";
import type { Audited } from "../../entities/audit.ts";
import type { CallOptions } from "../runtime/Calls.ts";

/**
 * Who asks, and under which id: repeated with the same `requestId`, a call answers as it did the first time. What is to be in the audit
 * goes into the transaction of the effect.
 */
export interface OperatorCall extends Audited {
  operatorId: string;
  requestId: string | undefined;
}

/** The id of what this call creates: a repeat of the call finds what the first one made. */
export function idToCreate({ operatorId, requestId }: OperatorCall, rng: Rng): string {
  return requestId === undefined ? rng.id(12) : digest(operatorId, requestId, 16);
}

/** The options of a reference through which the call goes to an actor, whose turn writes the line of the audit. */
export function callOptions({ operatorId, requestId, audit }: OperatorCall): CallOptions {
  return {
    ...(requestId !== undefined && { requestId: digest(operatorId, requestId, 40), sameAs: askedFor(audit) }),
    ...(audit && { audit }),
  };
}

/** What an operator has asked for: what reaches the actor is made of it by chance as well. */
function askedFor(audit: OperatorCall["audit"]): unknown {
  return audit ? [audit.command, audit.args] : null;
}

/** The same call, of which the audit says what it is done to (`hunt:h1`): arguments do not name what is created by them. */
export function about(call: OperatorCall, subject: string): OperatorCall {
  return call.audit ? { ...call, audit: { ...call.audit, subject } } : call;
}

/** A request id is its caller's own: the same one from two operators means two requests. */
function digest(operatorId: string, requestId: string, length: number): string {
  return createHash("sha256").update(`${operatorId}\n${requestId}`).digest("hex").slice(0, length);
}
