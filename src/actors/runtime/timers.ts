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
  if (every === undefined) return { firing: { name, seq, dueAt: due, missed: 0 }, next: undefined };
  const missed = Math.floor((now - due) / every);
  const policy = record.policy ?? "coalesce";
  if (policy === "fire" || missed === 0) {
    return { firing: { name, seq, dueAt: due, missed: 0 }, next: { ...record, due: due + every, seq: seq + 1 } };
  }
  if (policy === "skip") return { firing: undefined, next: { ...record, due: due + (missed + 1) * every } };
  return {
    firing: { name, seq, dueAt: due + missed * every, missed },
    next: { ...record, due: due + (missed + 1) * every, seq: seq + 1 },
  };
}

/** The soonest due time of some timers, or null when there are none: what the actor's row tells to the sweepers. */
export function soonestDue(timers: Iterable<TimerRecord>): number | null {
  let soonest: number | null = null;
  for (const { due } of timers) if (soonest === null || due < soonest) soonest = due;
  return soonest;
}
