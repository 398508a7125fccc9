/** What went wrong, in a code to decide by and a sentence to show. */
export interface Problem {
  code: string;
  sentence: string;
  details: unknown;
}

/** The codes that this page tells in its own words; any other code is told in the server's. */
const SENTENCES: Record<string, string> = {
  offline: "We lost the connection for a moment.",
  timeout: "No answer came in time. Please try once more.",
  unauthenticated: "Your sign-in has run out; we are renewing it.",
  rate_limited: "Easy there! That was a little fast. Take a breath and try again.",
  overloaded: "The ring is packed right now. Try again in a moment.",
  unavailable: "Something backstage is out of reach. Try again in a moment.",
  draining: "This stage is closing; we are moving you to another.",
  not_found: "That is not in the programme any more.",
  unknown_assignment: "That clue is no longer yours: its time ran out or it was already solved.",
  score_refused: "The judges could not make sense of that score, so it was not counted. Your others stand.",
  entries_used_up: "No further round can be counted. What you have reached stands.",
  not_delivered: "That did not get through. Please try again.",
  outcome_unknown: "We cannot tell whether that counted. Send it again to find out.",
  internal: "Something failed backstage. It has been noted; please try again.",
};

/** Codes after which joining again by itself makes sense. */
const TRANSIENT = new Set(
  "offline timeout overloaded unavailable draining rate_limited not_delivered outcome_unknown internal".split(" "),
);

/** Reads whatever a request, a join or a fetch was rejected with. */
export function problemOf(error: unknown): Problem {
  const wire = wireError(error);
  if (wire) return problem(wire.code, wire.message, wire.details);
  const status = numberAt(error, "code");
  const message = error instanceof Error ? error.message : "";
  // A join refused on the socket has its code at the head of its message.
  const [, code, rest] = /^([a-z_]+): (.*)$/s.exec(message) ?? [];
  if (code !== undefined) return problem(code, rest);
  if (status !== undefined) return problem(codeOfStatus(status), message);
  if (/timed out/.test(message)) return problem("timeout");
  return problem("offline");
}

export function isTransient(problem: Problem): boolean {
  return TRANSIENT.has(problem.code);
}

/** Whether the room has gone or is about to: what was asked is asked again in the next one. */
export function isAway(problem: Problem): boolean {
  return problem.code === "offline" || problem.code === "draining";
}

function problem(code: string, message = "", details?: unknown): Problem {
  return { code, sentence: SENTENCES[code] ?? (message || SENTENCES.internal!), details };
}

/** `{code, message, details?}`: in a rejection's reason, thrown as an error, or inside `{error: …}` of an HTTP body. */
function wireError(error: unknown): { code: string; message: string; details?: unknown } | undefined {
  for (const candidate of [at(error, "reason"), at(error, "error"), error]) {
    const code = at(candidate, "code");
    if (typeof code === "string" && /^[a-z]+(_[a-z]+)*$/.test(code)) {
      return { code, message: String(at(candidate, "message") ?? ""), details: at(candidate, "details") };
    }
  }
  return undefined;
}

/** A join refused over HTTP has its status; one whose socket closed has the socket's code, of 1000 or more. */
function codeOfStatus(status: number): string {
  if (status === 401) return "unauthenticated";
  if (status === 403) return "forbidden";
  if (status === 404) return "not_found";
  if (status === 429) return "rate_limited";
  if (status >= 1000) return "offline";
  return status >= 500 ? "unavailable" : "invalid_payload";
}

function at(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

function numberAt(value: unknown, key: string): number | undefined {
  const found = at(value, key);
  return typeof found === "number" ? found : undefined;
}
