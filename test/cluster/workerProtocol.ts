import type { CallOptions } from "../../src/actors/runtime/Calls.ts";

/** How a worker is to be, as JSON in its environment's `WORKER`. */
export interface WorkerOptions {
  id: string;
  redisUrl: string;
  databaseUrl: string;
  ttlMs: number;
  /** `web`: it calls actors, and hosts none; `all` unless told. */
  role?: "all" | "web";
  /** Whether counters may be moved for the sake of balance. */
  balances?: boolean;
  /** Which version of the actors `versioned` its code is of; 1 unless told. */
  version?: 1 | 2;
  /** Takes the epoch-and-version check out of every write, to show what it is there for. */
  unfenced?: boolean;
  /** `hangs`: nothing is ever appended. `hangs after append`: it is, and the publisher never learns of it. */
  feed?: "redis" | "hangs" | "hangs after append";
}

export interface WorkerCall {
  kind: string;
  actor: string;
  method: string;
  args: unknown[];
  options?: CallOptions;
}

/** What a call came to: its answer, or the code of its error. */
export type WorkerAnswer = { value: unknown } | { code: string; message: string };

/** Callers that call `add` on `targets` one call after the other, each call with a name of its own. */
export interface LoadOptions {
  targets: string[];
  callers: number;
  /** Every second caller gives its calls request ids, and repeats each until it is answered. */
  withRequestIds: boolean;
  deadlineMs: number;
}

/** One call of the load. */
export interface LoadRecord {
  name: string;
  actor: string;
  requestId: boolean;
  /** The codes of the attempts that failed. */
  codes: string[];
  /** The answer; undefined when no attempt had one. */
  value?: number;
  /** Epoch milliseconds. */
  startedAt: number;
  tookMs: number;
}

export type WorkerRequest =
  | { op: "join" }
  | { op: "calls"; calls: WorkerCall[] }
  | { op: "nodes" }
  | { op: "residents" }
  | { op: "middle" }
  | { op: "load"; load: LoadOptions }
  | { op: "answered" }
  | { op: "endLoad" }
  /** Stops itself, as SIGSTOP does, at the moment when this many turns are in the middle. */
  | { op: "stall"; turns: number };

/** The answer to each request. */
export interface WorkerReplies {
  join: null;
  calls: WorkerAnswer[];
  /** The nodes that live as far as this one knows. */
  nodes: string[];
  residents: number;
  /** Turns in the middle. */
  middle: number;
  load: null;
  /** Calls of the load answered so far. */
  answered: number;
  endLoad: LoadRecord[];
  stall: null;
}

export type WorkerMessage = { event: "ready" } | { event: "stalling" } | { reply: number; value: unknown };
