/**
 * What a client or a caller of any domain may be told: its HTTP status, and what it means. Codes of one domain are defined by `defineErrors`
 * beside what throws them, and listed on its page. `docs/errors.md` documents all of them; a test fails when the two differ.
 */
export const ERRORS = {
  invalid_payload: { status: 400, message: "The payload is not of the documented shape." },
  payload_too_large: { status: 413, message: "The body is larger than the server accepts." },
  unauthenticated: { status: 401, message: "Sign in first: the token is missing, forged or expired." },
  forbidden: { status: 403, message: "Your role may not do this." },
  not_found: { status: 404, message: "There is nothing by that name." },
  unknown_request: { status: 404, message: "This room knows no such request." },
  conflict: { status: 409, message: "The state it applies to has changed; read it again." },
  wrong_phase: { status: 409, message: "The event is not in a phase that allows this." },
  rate_limited: { status: 429, message: "Too many requests; slow down." },
  overloaded: { status: 503, message: "Too much work is waiting; try again in a moment." },
  unavailable: { status: 503, message: "A part that this needs is out of reach; try again in a moment." },
  draining: { status: 503, message: "This node is shutting down; reconnect to reach another." },
  internal: { status: 500, message: "Something failed on our side; it has been logged." },
  not_delivered: {
    status: 503,
    message: "The call did not reach its actor; nothing happened, and it is safe to repeat.",
  },
  outcome_unknown: {
    status: 504,
    message:
      "No answer in time; the call may have taken effect. Repeat it with the same requestId to learn its outcome.",
  },
  not_serializable: {
    status: 500,
    message: "A value that crosses to another actor, or is stored, has no form in JSON.",
  },
  state_too_large: { status: 500, message: "The actor's state would take more than its kind stores." },
  actor_cycle: { status: 500, message: "The call chain came back to an actor that is in a turn." },
  actor_quarantined: { status: 503, message: "The actor crashed its node repeatedly and is quarantined." },
} as const satisfies Record<string, { status: number; message: string }>;

/** Codes, each with its HTTP status and what it means. */
export type ErrorTable = Readonly<Record<string, { status: number; message: string }>>;

/** A code of a domain. Only `defineErrors` makes one, so whoever throws it has loaded what it means. */
export type DomainErrorCode<Code extends string = string> = Code & { readonly "~defined": true };

/** A code of the table above, or of a domain. */
export type ErrorCode = keyof typeof ERRORS | DomainErrorCode;

const known = new Map<string, { status: number; message: string }>(Object.entries(ERRORS));

/**
 * The codes of a domain, by their names: `throw new RingmasterError(HUNT_ERRORS.unknown_assignment)`. Throws an Error for a code that there
 * is already, and for what is no code (`[a-z_]+`) or no failure (a status from 400 to 599).
 */
export function defineErrors<const T extends ErrorTable>(
  table: T,
): { readonly [Code in keyof T & string]: DomainErrorCode<Code> } {
  for (const [code, { status }] of Object.entries(table)) {
    if (!/^[a-z_]+$/.test(code)) throw new Error(`the error code ${code}: a code is [a-z_]+`);
    if (!(status >= 400 && status < 600))
      throw new Error(`the error code ${code}: ${status} is no status of a failure`);
    if (known.has(code)) throw new Error(`the error code ${code} is defined twice`);
  }
  for (const [code, terms] of Object.entries(table)) known.set(code, terms);
  return Object.fromEntries(Object.keys(table).map((code) => [code, code])) as never;
}

/** Whether this is a code that an error may have: a common one, or one that a domain has defined. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && known.has(code);
}

/** What an error looks like on the wire: over HTTP inside `{error: …}`, in a room as the rejection. */
export interface WireError {
  code: string;
  message: string;
  details?: unknown;
}

/**
 * The only error that leaves the server. Its message may be made more precise than the table's;
 * `details` must hold nothing that a client may not read.
 */
export class RingmasterError extends Error {
  readonly code: ErrorCode;
  readonly details: unknown;

  constructor(code: ErrorCode, message: string = known.get(code)!.message, details?: unknown, options?: ErrorOptions) {
    super(message, options);
    this.name = "RingmasterError";
    this.code = code;
    this.details = details;
  }

  get status(): number {
    return known.get(this.code)!.status;
  }

  toWire(): WireError {
    return { code: this.code, message: this.message, ...(this.details === undefined ? {} : { details: this.details }) };
  }

  static fromWire(wire: WireError): RingmasterError {
    return new RingmasterError(isErrorCode(wire.code) ? wire.code : "internal", wire.message, wire.details);
  }
}

/** Turns anything thrown into an error that may leave the server; what is not ours becomes `internal`, without its text. */
export function toRingmasterError(error: unknown): RingmasterError {
  return error instanceof RingmasterError
    ? error
    : new RingmasterError("internal", undefined, undefined, { cause: error });
}
