import { ServerError } from "@colyseus/core";
import { isErrorCode, RingmasterError, toRingmasterError } from "../../errors.ts";

/**
 * The error for what matchmaking cannot do, whose message begins with its code: of an error that one process reports to
 * another about a room it was to create, Colyseus keeps the message alone.
 */
export function refusal(error: unknown): RingmasterError {
  const known = toRingmasterError(error);
  if (readRefusal(known.message) !== undefined) return known;
  return new RingmasterError(known.code, `${known.code}: ${known.message}`, known.details, { cause: error });
}

/** The refusal whose message this is; `undefined` when it is none. */
export function readRefusal(message: string): RingmasterError | undefined {
  const code = /^([a-z_]+): /.exec(message)?.[1];
  return isErrorCode(code) ? new RingmasterError(code, message) : undefined;
}

/**
 * The same for a client that is already on its socket, where a code must be a number: the HTTP status. The SDK rejects the
 * join with this code and message.
 */
export function socketRefusal(error: unknown): ServerError {
  const known = refusal(error);
  return new ServerError(known.status, known.message, { cause: error });
}
