/**
 * The one table of errors: what a client or a caller may be told, its HTTP status, and what it means.
 * `docs/errors.md` documents the same codes; a test fails when the two differ.
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
  paused: { status: 409, message: "The event is paused; nothing is taken before it goes on." },
  rate_limited: { status: 429, message: "Too many requests; slow down." },
  overloaded: { status: 503, message: "Too much work is waiting; try again in a moment." },
  unavailable: { status: 503, message: "A part that this needs is out of reach; try again in a moment." },
  draining: { status: 503, message: "This node is shutting down; reconnect to reach another." },
  internal: { status: 500, message: "Something failed on our side; it has been logged." },
  unknown_assignment: { status: 409, message: "This assignment is not open for you: solved, expired or never given." },
  score_refused: { status: 422, message: "The score is not one that this game can have, or it could not be verified." },
  run_refused: {
    status: 422,
    message: "The score must come of a run that you have begun in this tournament, and each run counts once.",
  },
  entries_used_up: {
    status: 409,
    message: "No further entry is taken: the player's, or the tournament's, are used up.",
  },
  inventory_full: { status: 409, message: "The player would hold more of this item than an inventory can." },
  no_challenge: { status: 409, message: "No challenge is open: it ran out or was used. Ask for a new one." },
  bad_signature: { status: 403, message: "The signature does not prove that the wallet is yours." },
  not_delivered: {
    status: 503,
    message: "The call did not reach its actor; nothing happened, and it is safe to repeat.",
  },
  outcome_unknown: {
    status: 504,
    message:
      "No answer in time; the call may have taken effect. Repeat it with the same requestId to learn its outcome.",
  },
  actor_cycle: { status: 500, message: "The call chain came back to an actor that is in a turn." },
  actor_quarantined: { status: 503, message: "The actor crashed its node repeatedly and is quarantined." },
} as const satisfies Record<string, { status: number; message: string }>;

/** Codes, each with its HTTP status and what it means. */
export type ErrorTable = Readonly<Record<string, { status: number; message: string }>>;

/**
 * Codes of domains that this table does not have, by declaration merging; each also goes through `defineErrors`:
 * `declare module "…/errors.ts" { interface DomainErrors { already_entered: true } }`.
 */
// biome-ignore lint/suspicious/noEmptyInterface: what is declared elsewhere is merged into it
export interface DomainErrors {}

/** A code from the table of errors, or of a domain. */
export type ErrorCode = keyof typeof ERRORS | keyof DomainErrors;

const known = new Map<string, { status: number; message: string }>(Object.entries(ERRORS));

/** Adds the codes of a domain to those that may leave the server. Throws an Error for one that there is already. */
export function defineErrors<T extends { [Code in keyof DomainErrors]?: { status: number; message: string } }>(
  table: T,
): T {
  for (const [code, entry] of Object.entries(table as ErrorTable)) {
    if (known.has(code)) throw new Error(`the error code ${code} is defined twice`);
    known.set(code, entry);
  }
  return table;
}

/** What an error looks like on the wire: over HTTP inside `{error: …}`, in a room as the rejection. */
export interface WireError {
  code: ErrorCode;
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
    return new RingmasterError(known.has(wire.code) ? wire.code : "internal", wire.message, wire.details);
  }
}

/** Turns anything thrown into an error that may leave the server; what is not ours becomes `internal`, without its text. */
export function toRingmasterError(error: unknown): RingmasterError {
  return error instanceof RingmasterError
    ? error
    : new RingmasterError("internal", undefined, undefined, { cause: error });
}
