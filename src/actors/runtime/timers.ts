import { RingmasterError, type WireError } from "../../errors.ts";
import type { Carried } from "../../tracing.ts";
import type { ActorAddress } from "./actorRow.ts";

/** What becomes of the firings that a repeating timer missed while nobody could fire it. */
export type MissedPolicy =
  /** Each is made up for, one turn each, in order. */
  | "fire"
  /** They are left out; the next firing is the first one that is not yet due. */
  | "skip"
  /** One firing stands for all of them and is told how many it stands for. */
  | "coalesce";

/** A timer as its actor's row stores it. */
export interface TimerRecord {
  name: string;
  /** Epoch milliseconds. */
  due: number;
  /** The number that the next firing will carry; 1, 2, … for as long as the timer is not cancelled. */
  seq: number;
  /** Period of a repeating timer, in milliseconds. */
  every?: number;
  policy?: MissedPolicy;
  /** Its handler has thrown or its turn was given up, and nothing of it has succeeded since. */
  failed?: TimerFailure | undefined;
  /** No handler runs: when it is due, another actor is told this. */
  tell?: { to: ActorAddress; method: string; args: unknown[] };
  /** The turn that set it, if that was recorded. */
  trace?: Carried | undefined;
}

/** How a timer fares that keeps failing. */
export interface TimerFailure {
  attempts: number;
  error: string;
  /** When it failed last, in epoch milliseconds. */
  at: number;
  /** How long after that it is tried again. */
  waitMs: number;
}

/** A timer that fails is tried again after 1 s, 2 s, 4 s …, at most this. */
const LONGEST_WAIT_MS = 3_600_000;
/** The same where its handler says that what it needs is out of reach, or has too much to do. */
const LONGEST_UNAVAILABLE_WAIT_MS = 60_000;
/** What is kept of an error, in characters. */
const LONGEST_ERROR = 500;

/** The record of a timer that has failed once more. `isGivenUp`: its turn was given up, and did not throw. */
export function failedOnce(record: TimerRecord, error: WireError, now: number, isGivenUp = false): TimerRecord {
  const { attempts, waitMs } = record.failed ?? { attempts: 0, waitMs: 0 };
  const { status } = RingmasterError.fromWire(error);
  const isOutOfReach = !isGivenUp && (status === 503 || status === 504);
  const longest = isOutOfReach ? LONGEST_UNAVAILABLE_WAIT_MS : LONGEST_WAIT_MS;
  const text = `${error.code}: ${error.message}`.slice(0, LONGEST_ERROR);
  const failed = {
    attempts: attempts + 1,
    error: text,
    at: now,
    waitMs: Math.min(longest, Math.max(1000, 2 * waitMs)),
  };
  return { ...record, failed };
}

/** When it is to fire: when it is due, or later where it has failed. What failed in the future failed by a clock that was ahead. */
export function fireAt({ due, failed }: TimerRecord, now = Number.POSITIVE_INFINITY): number {
  return failed && failed.at <= now ? Math.max(due, failed.at + failed.waitMs) : due;
}

/** When one of these failed last; null when none does. */
export function failingAt(timers: Iterable<TimerRecord>): number | null {
  let latest: number | null = null;
  for (const { failed } of timers) if (failed && (latest === null || failed.at > latest)) latest = failed.at;
  return latest;
}

/** What a timer's handler is told. `(actor, timer, seq)` takes effect exactly once. */
export interface Firing {
  name: string;
  seq: number;
  /** When it was due, in epoch milliseconds; for `coalesce`, the newest of the due times it stands for. */
  dueAt: number;
  /** Earlier firings that this one stands for; 0 but for `coalesce`. */
  missed: number;
}

/** What firing a timer at `now` means: the firing to run (none for a skipped one), and the record to store afterwards (none: it is done). */
export interface FiringPlan {
  firing: Firing | undefined;
  next: TimerRecord | undefined;
}

/** Applies the timer's own policy. `record.due` must not be after `now`. */
export function planFiring(record: TimerRecord, now: number): FiringPlan {
  const { name, due, seq, every } = record;
  // What fires and succeeds has not failed.
  const next = { ...record, failed: undefined };
  if (every === undefined) return { firing: { name, seq, dueAt: due, missed: 0 }, next: undefined };
  const missed = Math.floor((now - due) / every);
  const policy = record.policy ?? "coalesce";
  if (policy === "fire" || missed === 0) {
    return { firing: { name, seq, dueAt: due, missed: 0 }, next: { ...next, due: due + every, seq: seq + 1 } };
  }
  if (policy === "skip") return { firing: undefined, next: { ...record, due: due + (missed + 1) * every } };
  return {
    firing: { name, seq, dueAt: due + missed * every, missed },
    next: { ...next, due: due + (missed + 1) * every, seq: seq + 1 },
  };
}

/** The soonest due time of some timers, or null when there are none: what the actor's row tells to the sweepers. */
export function soonestDue(timers: Iterable<TimerRecord>): number | null {
  let soonest: number | null = null;
  for (const timer of timers) {
    const at = fireAt(timer);
    if (soonest === null || at < soonest) soonest = at;
  }
  return soonest;
}
