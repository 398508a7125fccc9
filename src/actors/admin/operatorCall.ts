import { createHash } from "node:crypto";
import type { Rng } from "../../clock.ts";

/** Who asks, and under which id: repeated with the same `requestId`, a call answers as it did the first time. */
export interface OperatorCall {
  operatorId: string;
  requestId: string | undefined;
}

/** The id of what this call creates: a repeat of the call finds what the first one made. */
export function idToCreate({ operatorId, requestId }: OperatorCall, rng: Rng): string {
  return requestId === undefined ? rng.id(12) : digest(operatorId, requestId, 16);
}

/** The options of a reference through which the call goes to an actor. */
export function callOptions({ operatorId, requestId }: OperatorCall): { requestId?: string } {
  return requestId === undefined ? {} : { requestId: digest(operatorId, requestId, 40) };
}

/** A request id is its caller's own: the same one from two operators means two requests. */
function digest(operatorId: string, requestId: string, length: number): string {
  return createHash("sha256").update(`${operatorId}\n${requestId}`).digest("hex").slice(0, length);
}
