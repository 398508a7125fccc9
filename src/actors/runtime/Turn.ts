import type { Audited } from "../../entities/audit.ts";
import { CommitUnknown, mayHaveCommitted } from "../../entities/failures.ts";
import type { Transaction } from "../../entities/sql.ts";
import { RingmasterError } from "../../errors.ts";
import { causeField } from "../../tracing.ts";
import type { OutgoingEvent, TurnScope } from "./Actor.ts";
import { type ActorStore, Fenced, type TurnWrites } from "./ActorStore.ts";
import { type ActorAddress, assertAddress, type ClaimedRow } from "./actorRow.ts";
import { type EventMessage, type MessageBody, NOTHING_STORED, type Outgoing, type Stored } from "./messages.ts";
import type { TurnOrigin } from "./TurnGate.ts";
import { type MissedPolicy, soonestDue, type TimerRecord } from "./timers.ts";
import { copyOf, copyOfArgs } from "./values.ts";

/** What a turn that has committed leaves to its activation. */
export interface Committed {
  timers: Map<string, TimerRecord>;
  changed: boolean;
  stored: Stored;
}

/** What an actor may have to tell later; each is a timer in its row. */
const MOST_SENT_LATER = 1000;

/** One turn of one actor: collects what it wants, and stores all of it or none. */
export class Turn implements TurnScope {
  readonly now: number;
  readonly #row: ClaimedRow;
  readonly #store: ActorStore;
  readonly #origin: TurnOrigin;
  /** Its line of the audit, where an operator's command is what it carries out. */
  readonly #audit: Audited["audit"];
  readonly #timers: Map<string, TimerRecord>;
  readonly #whileWaiting: <T>(wait: Promise<T>) => Promise<T>;
  readonly #outgoing: Outgoing = { events: [], messages: [] };
  /** Goes on counting a one-shot timer that its own handler arms again. */
  readonly #nextSeq = new Map<string, number>();
  #timersChanged = false;
  #isDestroyed = false;
  /** What this turn sends later, so far. */
  #later = 0;
  #heard: TurnWrites["heard"];
  #transaction: Promise<Transaction> | undefined;

  /** `whileWaiting` is told of what the turn waits for without running: a connection. */
  constructor(
    row: ClaimedRow,
    timers: ReadonlyMap<string, TimerRecord>,
    ports: Audited & {
      store: ActorStore;
      origin: TurnOrigin;
      now: number;
      whileWaiting<T>(wait: Promise<T>): Promise<T>;
    },
  ) {
    this.#row = row;
    this.#timers = new Map(timers);
    this.#store = ports.store;
    this.#origin = ports.origin;
    this.#audit = ports.audit;
    this.#whileWaiting = ports.whileWaiting;
    this.now = ports.now;
  }

  /** To be run once the turn has committed and ended. */
  readonly afterwards: Array<() => void> = [];

  /** Whether the turn is still running: code that it started may outlive it. */
  running = true;

  /** Nothing of it is to be stored any more. */
  #isAbandoned = false;

  get isAudited(): boolean {
    return this.#audit !== undefined;
  }

  /** Whether nothing of the actor was stored before. */
  get isNew(): boolean {
    return this.#row.isNew === true;
  }

  /** Whether the actor ends with this turn. */
  get isDestroyed(): boolean {
    return this.#isDestroyed;
  }

  destroy(): void {
    this.#isDestroyed = true;
  }

  /** Whether SQL has begun: from then on nothing else may be waited for. */
  get inTransaction(): boolean {
    return this.#transaction !== undefined;
  }

  sql(): Promise<Transaction> {
    if (this.#isAbandoned) return Promise.reject(this.#abandoned());
    if (!this.#transaction) {
      this.#transaction = this.#open();
      // The actor may come to await it later than it fails, which must not end the process.
      this.#transaction.catch(() => {});
    }
    return this.#transaction;
  }

  async #open(): Promise<Transaction> {
    const tx = await this.#whileWaiting(this.#store.begin(this.#origin));
    try {
      await this.#store.fence(tx, this.#row, this.now);
      return tx;
    } catch (error) {
      await tx.rollback();
      throw error;
    }
  }

  setTimer(name: string, due: number, repeat?: { every: number; policy: MissedPolicy }): void {
    if (!Number.isFinite(due)) throw new Error(`timer ${name}: ${due} is not a time`);
    if (repeat && !(repeat.every > 0)) throw new Error(`timer ${name}: a period must be longer than 0 ms`);
    const seq = this.#timers.get(name)?.seq ?? this.#nextSeq.get(name) ?? 1;
    this.#timers.set(name, { name, due: Math.round(due), seq, ...repeat, ...causeField() });
    this.#timersChanged = true;
  }

  cancelTimer(name: string): void {
    if (this.#timers.delete(name)) this.#timersChanged = true;
  }

  timerDue(name: string): number | undefined {
    return this.#timers.get(name)?.due;
  }

  /** Stores what firing `name` leaves behind (nothing: the timer is done), before its handler runs and may set it anew. */
  advanceTimer(name: string, next: TimerRecord | undefined): void {
    this.#nextSeq.set(name, (this.#timers.get(name)?.seq ?? 0) + 1);
    if (next) this.#timers.set(name, next);
    else this.#timers.delete(name);
    this.#timersChanged = true;
  }

  publish(topic: string, event: OutgoingEvent): void {
    const message: EventMessage = { topic, at: this.now, event: copyOf(event, () => `the event ${event.type}`) };
    this.#outgoing.events.push({ index: this.#nextIndex(), message: JSON.stringify(message) });
  }

  afterCommit(action: () => void): void {
    this.afterwards.push(action);
  }

  send(to: ActorAddress, method: string, args: unknown[]): void {
    assertAddress(to);
    const message: MessageBody = { method, args: argsOf(to, method, args), ...causeField() };
    this.#outgoing.messages.push({ index: this.#nextIndex(), to, message: JSON.stringify(message) });
  }

  sendLater(delayMs: number, to: ActorAddress, method: string, args: unknown[]): void {
    assertAddress(to);
    if (!(delayMs >= 0 && Number.isFinite(delayMs))) throw new Error(`${delayMs} ms is not a delay`);
    if ([...this.#timers.values()].filter(({ tell }) => tell).length >= MOST_SENT_LATER)
      throw new RingmasterError(
        "overloaded",
        `${this.#row.kind}/${this.#row.id} has ${MOST_SENT_LATER} messages to be sent later.`,
      );
    // No other turn has this version, and no timer of an actor's own a name like this.
    const name = `later ${this.#row.version + 1}.${this.#later}`;
    this.#later += 1;
    this.#timers.set(name, {
      name,
      due: Math.round(this.now + delayMs),
      seq: 1,
      tell: { to, method, args: argsOf(to, method, args) },
      ...causeField(),
    });
    this.#timersChanged = true;
  }

  /** An operator has a failing timer tried again at once. */
  retryTimer(name: string): void {
    const record = this.#timers.get(name);
    if (!record?.failed) throw new RingmasterError("not_found", `No timer ${name} of this actor fails.`);
    this.#timers.set(name, { ...record, failed: { ...record.failed, waitMs: 0 } });
    this.#timersChanged = true;
  }

  #nextIndex(): number {
    return this.#outgoing.events.length + this.#outgoing.messages.length;
  }

  /** This turn is what another actor told this one: it is stored with it that it has been had. */
  hear(heard: NonNullable<TurnWrites["heard"]>): void {
    this.#heard = heard;
  }

  /** Stores the turn; `state` (JSON text) where that has changed. Throws Fenced, CommitUnknown, or what the database said; then nothing (or, for CommitUnknown, all) is stored. */
  async commit(state: string | undefined, response: TurnWrites["response"]): Promise<Committed> {
    const changed =
      (this.#isDestroyed ? !this.isNew : state !== undefined || this.#timersChanged) ||
      this.inTransaction ||
      this.#nextIndex() > 0 ||
      this.#heard !== undefined ||
      response !== undefined ||
      this.#audit !== undefined;
    if (!changed) return { timers: this.#timers, changed, stored: NOTHING_STORED };
    const writes: TurnWrites = {
      state,
      timers: [...this.#timers.values()],
      dueAt: soonestDue(this.#timers.values()),
      outgoing: this.#outgoing,
      isDestroyed: this.#isDestroyed,
      heard: this.#heard,
      response,
      audit: this.#audit,
      now: this.now,
    };
    const stored = await this.#write(writes);
    return { timers: this.#timers, changed, stored };
  }

  async #write(writes: TurnWrites): Promise<Stored> {
    if (this.#isAbandoned) throw this.#abandoned();
    if (!this.#transaction && this.#store.isSingleStatement(writes)) {
      await this.#store.commitSingle(this.#row, writes, this.#origin).catch((error: unknown) => {
        throw mayHaveCommitted(error)
          ? new CommitUnknown("it is not known whether a turn has committed", { cause: error })
          : error;
      });
      return NOTHING_STORED;
    }
    const fencedAlready = this.#transaction !== undefined;
    const tx = await (this.#transaction ?? this.#whileWaiting(this.#store.begin(this.#origin)));
    let stored: Stored;
    try {
      stored = await this.#store.write(tx, this.#row, writes, fencedAlready);
    } catch (error) {
      await tx.rollback();
      throw error;
    }
    this.#transaction = undefined;
    await tx.commit();
    return stored;
  }

  /**
   * Gives up a turn that hangs: what it has open would keep others from the database, and a part of it must not be stored should it
   * go on. One that is committing already ends by itself.
   */
  async abandon(): Promise<void> {
    this.#isAbandoned = true;
    await this.rollback();
  }

  #abandoned(): Error {
    return new Fenced(`a turn of ${this.#row.kind}/${this.#row.id} took too long`);
  }

  /** Undoes what the turn has done so far; safe at any time. */
  async rollback(): Promise<void> {
    const tx = await this.#transaction?.catch(() => undefined);
    this.#transaction = undefined;
    await tx?.rollback();
  }
}

function argsOf(to: ActorAddress, method: string, args: readonly unknown[]): unknown[] {
  return copyOfArgs(args, () => `the arguments of ${to.kind}/${to.id}.${method}`).value;
}
