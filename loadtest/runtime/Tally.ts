import { Latencies, type LatencySummary } from "./Latencies.ts";

/** What a load test has counted, as its report holds it. */
export interface Counts {
  /** Clients that got into a room, each counted once. */
  joined: number;
  /** Clients that did not. */
  joinsFailed: number;
  /** Connections lost that nobody meant to end. */
  disconnects: number;
  /** Times a client came back after that: to its seat, or through matchmaking. */
  returns: number;
  /** Clients that were away when the test ended, and could not come back: the server, or the way to it, is gone. */
  lost: number;
  /** Requests that had no answer, because the connection was lost or none came in time. */
  unanswered: number;
  /** How often the SDK tried to take up a lost connection again. */
  reconnections: number;
  /** Refusals by code of the table of errors; and `timeout`, `disconnected` and `socket`, of which the server tells nothing. */
  errors: Record<string, number>;
  /** What a client that keeps to the protocol must never meet: answers of another shape, faults, requests without an answer. */
  protocolErrors: number;
  /** The first of them, in words. */
  protocolErrorSamples: string[];
}

const MOST_SAMPLES = 20;

/** Codes that tell of a mistake, on either side, and not of the state of things. */
const MISTAKES: ReadonlySet<string> = new Set([
  "invalid_payload",
  "payload_too_large",
  "unauthenticated",
  "forbidden",
  "not_found",
  "unknown_request",
  "internal",
  "actor_cycle",
  "timeout",
]);

/** Of requests that the server may have served, and whose answer never came. */
const UNANSWERED: ReadonlySet<string> = new Set(["timeout", "disconnected"]);

/** Counts what all clients of a load test meet. `Event` names what the kind of client counts beside, `Timed` what it times. */
export class Tally<Event extends string, Timed extends string> {
  readonly counts: Counts = {
    joined: 0,
    joinsFailed: 0,
    disconnects: 0,
    returns: 0,
    lost: 0,
    unanswered: 0,
    reconnections: 0,
    errors: {},
    protocolErrors: 0,
    protocolErrorSamples: [],
  };
  readonly events: Record<Event, number>;
  readonly #latencies: Record<Timed, Latencies>;

  constructor(events: readonly Event[], timed: readonly Timed[]) {
    this.events = Object.fromEntries(events.map((event) => [event, 0])) as Record<Event, number>;
    this.#latencies = Object.fromEntries(timed.map((name) => [name, new Latencies()])) as Record<Timed, Latencies>;
  }

  /** Whether all clients got in and were in at the end, and nobody met what must not happen. */
  get isClean(): boolean {
    const { joined, joinsFailed, lost, protocolErrors } = this.counts;
    return joined > 0 && joinsFailed === 0 && lost === 0 && protocolErrors === 0;
  }

  time(name: Timed, ms: number): void {
    this.#latencies[name].record(ms);
  }

  /** A request was refused, or not answered, with this code. */
  refused(code: string, what: string): void {
    const { errors } = this.counts;
    errors[code] = (errors[code] ?? 0) + 1;
    if (UNANSWERED.has(code)) this.counts.unanswered += 1;
    if (MISTAKES.has(code)) this.protocolError(`${what}: ${code}`);
  }

  protocolError(what: string): void {
    this.counts.protocolErrors += 1;
    if (this.counts.protocolErrorSamples.length < MOST_SAMPLES) this.counts.protocolErrorSamples.push(what);
  }

  latencies(): Record<Timed, LatencySummary> {
    const summaries = Object.entries<Latencies>(this.#latencies).map(([name, each]) => [name, each.summary()]);
    return Object.fromEntries(summaries) as Record<Timed, LatencySummary>;
  }
}
