import type { LatencySummary } from "../../loadtest/runtime/Latencies.ts";

/** A room to measure, and how to get in. */
export interface Target {
  name: "hunt" | "echo";
  /** `127.0.0.1:PORT` */
  address: string;
  joinOptions: object;
  /** The process that serves it. */
  pid: number;
}

/** What the bench has a process of players do. Each is answered by one `PlayersReport`. */
export type PlayersOrder =
  /** Connects one player a token, some at a time. */
  | { order: "join"; target: Omit<Target, "pid">; tokens: string[] }
  /** Resolves once every player knows that clues are given out. */
  | { order: "awaitSolving" }
  /** Every player claims at once, at this epoch millisecond. */
  | { order: "burst"; at: number }
  /** Every second player gives its answer, so that some have a clue and some have none. */
  | { order: "halve" }
  /** Requests arrive at random (a Poisson process), each from some player without one under way. */
  | { order: "steady"; perSecond: number; seconds: number; seed: number }
  /** Every player asks again as soon as it is answered, at most 15 times a second. */
  | { order: "flood"; seconds: number }
  | { order: "leave" };

/** What was timed, in milliseconds, one number each; and what went wrong. */
export interface PlayersReport {
  /** From the claim to its answer, be it a clue or a place in the queue. */
  claim: Float64Array;
  solve: Float64Array;
  /** From the claim to the clue: the answer itself, or the message that follows a place in the queue. */
  clue: Float64Array;
  /** How late a request of a steady stream was sent: the fault of this process, not of the server. */
  lag: Float64Array;
  /** How long the measured part took, in seconds. */
  seconds: number;
  /** CPU that this process used meanwhile, in seconds. */
  cpuSeconds: number;
  /** Rejections by code, and connections that were lost. */
  errors: Record<string, number>;
  /** Clues that players have been given altogether. */
  clues: number;
}

/** What one kind of traffic met. */
export interface TrafficResult {
  claim: LatencySummary;
  solve: LatencySummary;
  clue: LatencySummary;
  lag: LatencySummary;
  /** Answered, a second. */
  requestsPerSecond: number;
  claimsPerSecond: number;
  /** CPU of the server's process, and of the players', an answered request, in microseconds; what goes on beside is in it. */
  serverMicros: number;
  playersMicros: number;
  /** Cores that everything on the machine kept busy. */
  busyCores: number;
  errors: Record<string, number>;
}
