import type { Clock } from "../../clock.ts";
import { RingmasterError, type WireError } from "../../errors.ts";
import type { TimerHandlers } from "./Actor.ts";
import type { Kept } from "./ActorStore.ts";
import type { ActorAddress } from "./actorRow.ts";
import type { Log, RuntimeMetrics } from "./ports.ts";
import { actorKey, type CallOutcome } from "./protocol.ts";
import type { Turn } from "./Turn.ts";
import { failedOnce, fireAt, planFiring, soonestDue, type TimerRecord } from "./timers.ts";

/** What the timers of an actor need of its activation. */
export interface ActorTimerPorts {
  clock: Clock;
  log: Log;
  metrics: RuntimeMetrics;
  /** The soonest due time has changed (null: no timers). */
  arm(due: number | null): void;
  /** Puts a firing of this timer into the mailbox: `fire` is its turn, and `settle` is told how that ended. */
  enqueue(name: string): void;
  /** Stores that a timer has failed, as `records` has it when its turn has come: no turn does. Rejects when the database does not do it now. */
  keep(records: () => ReadonlyMap<string, TimerRecord>, why: "threw" | "given up"): Promise<Kept>;
}

/** A firing whose turn could not be stored or begun is tried again after 1 s, 2 s, 4 s …, at most this, while nothing says that this is its own doing. */
const LONGEST_RETRY_MS = 60_000;
/** At most this where the turn could not be stored: when the database is back, what is due must not wait for long. */
const LONGEST_RETRY_NOT_STORED_MS = 2000;

/** That a timer has failed is stored later where that was not possible: after half of its pause, and not before this. */
const LEAST_KEEP_AGAIN_MS = 1000;

/**
 * The timers of one actor that lives here: when they are due, which of them wait in the mailbox, and which failed and are tried again.
 *
 * A timer **fails** when its handler throws or never ends, and where the database has given its turn up but stores that it has: then it
 * serves others. During an outage it does not, and nothing is counted, so that what is due fires at once when the database is back.
 */
export class ActorTimers {
  readonly #address: ActorAddress;
  readonly #handlers: TimerHandlers;
  readonly #ports: ActorTimerPorts;
  /** Timers whose firing waits in the mailbox. */
  readonly #queued = new Set<string>();
  readonly #retries = new Map<string, { attempt: number; until: number }>();
  /** Of how many timers it is told that they fail. */
  #failing = 0;
  #isStopped = false;
  #records: ReadonlyMap<string, TimerRecord>;

  constructor(row: ActorAddress & { timers: readonly TimerRecord[] }, handlers: TimerHandlers, ports: ActorTimerPorts) {
    this.#address = row;
    this.#handlers = handlers;
    this.#ports = ports;
    this.#records = new Map(row.timers.map((timer) => [timer.name, timer]));
  }

  /** As they are stored, by name. */
  get records(): ReadonlyMap<string, TimerRecord> {
    return this.#records;
  }

  get soonestDue(): number | null {
    return soonestDue(this.#records.values());
  }

  /** A turn has stored these. */
  replace(records: ReadonlyMap<string, TimerRecord>): void {
    for (const name of this.#retries.keys()) {
      // What was set anew has not failed yet.
      if (!isSameFiring(this.#records.get(name), records.get(name))) this.#retries.delete(name);
    }
    this.#records = records;
    this.arm();
  }

  /** Asks to be rung when the next of them is due; those that wait in the mailbox need no ring. */
  arm(): void {
    let soonest: number | null = null;
    let failing = 0;
    for (const timer of this.#records.values()) {
      if (timer.failed) failing += 1;
      if (this.#queued.has(timer.name)) continue;
      const due = this.#effectiveDue(timer);
      if (soonest === null || due < soonest) soonest = due;
    }
    this.#ports.arm(soonest);
    this.#countFailing(this.#isStopped ? 0 : failing);
  }

  /** None of them is this activation's any more. */
  stop(): void {
    this.#isStopped = true;
    this.#countFailing(0);
  }

  #countFailing(count: number): void {
    if (count !== this.#failing) this.#ports.metrics.timersFailing(this.#address.kind, count - this.#failing);
    this.#failing = count;
  }

  /** Puts whatever is due into the mailbox. */
  fireDue(): void {
    const now = this.#ports.clock.now();
    for (const timer of this.#records.values()) {
      if (this.#effectiveDue(timer) > now || this.#queued.has(timer.name)) continue;
      this.#queued.add(timer.name);
      this.#ports.enqueue(timer.name);
    }
    this.arm();
  }

  #effectiveDue(timer: TimerRecord): number {
    const due = fireAt(timer, this.#ports.clock.now());
    const retry = this.#retries.get(timer.name);
    if (!retry) return due;
    const { clock } = this.#ports;
    // By the monotonic clock: a wall clock that was ahead when it failed must not put it off until then.
    const leftMs = retry.until - clock.monotonic();
    return leftMs > 0 ? Math.max(due, clock.now() + leftMs) : due;
  }

  /** The turn of a firing. */
  async fire(name: string, turn: Turn): Promise<void> {
    const record = this.#records.get(name);
    if (!record || record.due > turn.now) return;
    const plan = planFiring(record, turn.now);
    turn.advanceTimer(name, plan.next);
    if (!plan.firing) return;
    if (record.tell) return turn.send(record.tell.to, record.tell.method, record.tell.args);
    const { metrics } = this.#ports;
    const handler = this.#handlers[name];
    // A node of another version may have set it, and its actor live there again.
    if (!handler) throw new RingmasterError("internal", `This version of the actor has no timer ${name}.`);
    metrics.timerLateness(this.#address.kind, Math.max(0, turn.now - plan.firing.dueAt) / 1000);
    await handler(plan.firing);
  }

  /**
   * The turn of a firing has ended: what failed comes again. The next turn must not begin before this has ended: it copies the timers
   * and stores them all, and would undo what is stored of this one meanwhile.
   */
  async settle(name: string, outcome: CallOutcome): Promise<void> {
    const record = this.#records.get(name);
    if (outcome.kind === "error" && outcome.isOwn && record) {
      const failing = failedOnce(record, outcome.error, this.#ports.clock.now(), outcome.isGivenUp);
      this.#fails(name, failing);
      this.#keepLater(
        name,
        failing,
        this.#ports.keep(() => this.#records, "threw"),
      );
    } else if (outcome.kind === "error") {
      this.#retry(name, outcome.error.code);
      if (outcome.isGivenUp && record) await this.#failIfServed(record, outcome.error);
    } else if (outcome.kind === "ok") this.#retries.delete(name);
    this.#queued.delete(name);
    this.arm();
  }

  /** Tries it again soon: nobody knows yet why it failed. */
  #retry(name: string, code: string): void {
    const attempt = (this.#retries.get(name)?.attempt ?? 0) + 1;
    const longest = code === "not_delivered" ? LONGEST_RETRY_NOT_STORED_MS : LONGEST_RETRY_MS;
    const waitMs = Math.min(longest, 1000 * 2 ** Math.min(attempt - 1, 16));
    this.#retries.set(name, { attempt, until: this.#ports.clock.monotonic() + waitMs });
    this.#ports.clock.schedule(() => this.arm(), waitMs);
    this.#warn(name, { attempt, waitMs, code });
  }

  /** The database gave its turn up: it fails if the database does other things, of which storing that is one. */
  async #failIfServed(record: TimerRecord, error: WireError): Promise<void> {
    const { name } = record;
    const failing = failedOnce(record, error, this.#ports.clock.now(), true);
    const records = (): ReadonlyMap<string, TimerRecord> => new Map(this.#records).set(name, failing);
    const kept = await this.#ports.keep(records, "given up").catch(() => undefined);
    if (kept === undefined || kept === "moved") return;
    this.#fails(name, failing);
    this.#keepLater(name, failing, Promise.resolve(kept));
  }

  #fails(name: string, failing: TimerRecord): void {
    this.#records = new Map(this.#records).set(name, failing);
    this.#retries.delete(name);
    const { attempts: attempt, waitMs, error } = failing.failed!;
    this.#warn(name, { attempt, waitMs, code: error.split(":")[0]! });
  }

  /** Where it could not be stored that a timer fails, that is tried again for as long as nothing else becomes of the timer. */
  #keepLater(name: string, failing: TimerRecord, kept: Promise<Kept>): void {
    const again = (): void => {
      if (this.#isStopped || this.#records.get(name) !== failing) return;
      this.#keepLater(
        name,
        failing,
        this.#ports.keep(() => this.#records, "given up"),
      );
    };
    const later = (): void => {
      this.#ports.clock.schedule(again, Math.max(LEAST_KEEP_AGAIN_MS, failing.failed!.waitMs / 2));
    };
    kept.then((how) => how === "locked" && later(), later);
  }

  #warn(timer: string, failure: { attempt: number; waitMs: number; code: string }): void {
    const fields = { actor: actorKey(this.#address), timer, ...failure };
    this.#ports.log.warn(fields, "a timer failed and is tried again");
  }
}

function isSameFiring(one: TimerRecord | undefined, other: TimerRecord | undefined): boolean {
  return one?.due === other?.due && one?.seq === other?.seq && one?.failed?.waitMs === other?.failed?.waitMs;
}
