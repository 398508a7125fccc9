/** How a node of a chaos run is to be, as JSON in its environment's `CHAOS`. */
export interface NodeOptions {
  /** Of its place: a node that is started again has the same. */
  id: string;
  /** The actors that are called and tick. */
  targets: readonly string[];
  callers: number;
}

/** One call and what became of it. */
export interface CallRecord {
  name: string;
  actor: string;
  method: "add" | "pass";
  /** The codes of the attempts that failed. */
  codes: string[];
  /** The answer; undefined when no attempt had one. */
  value?: number;
  /** Epoch milliseconds. */
  startedAt: number;
  tookMs: number;
}

export type NodeRequest = { clockOffsetMs: number } | { probe: number; deadlineMs: number } | { endCalls: true };

export type NodeMessage =
  | { record: CallRecord }
  | { callsEnded: true }
  /** The codes of the targets that did not answer. */
  | { probed: number; failed: string[] };
