import type { Rng } from "../../clock.ts";
import { RingmasterError } from "../../errors.ts";
import { captured } from "../../tracing.ts";
import { Actor } from "./Actor.ts";
import { type ActorKind, loadedState } from "./ActorKinds.ts";
import { ActorReads } from "./ActorReads.ts";
import { ActorState } from "./ActorState.ts";
import type { Kept } from "./ActorStore.ts";
import { ActorTimers } from "./ActorTimers.ts";
import type { ClaimedRow } from "./actorRow.ts";
import type { Wait } from "./CallCycles.ts";
import { RETRY_TIMER } from "./FailingTimers.ts";
import { MAILBOX_BOUND, Mailbox } from "./Mailbox.ts";
import { type ActorRequest, actorKey, type CallOutcome } from "./protocol.ts";
import { Ticks } from "./Ticks.ts";
import type { Turn } from "./Turn.ts";
import { TurnRunner, type TurnRunnerPorts } from "./TurnRunner.ts";
import type { TimerRecord } from "./timers.ts";
import { failed } from "./turnFailure.ts";
import { copyOf, digestOf } from "./values.ts";

/** What an activation needs of its runtime. */
export interface ActivationPorts extends TurnRunnerPorts {
  rng: Rng;
  /** The soonest due time has changed (null: no timers). */
  arm(key: string, due: number | null): void;
  /** A call that a turn has made waits in the mailbox. */
  waits(wait: Wait): void;
  /** This activation's memory can no longer be trusted; the next call loads the actor anew. */
  drop(activation: Activation): void;
}

/**
 * One actor living on this node: its mailbox, and its turns, one at a time.
 *
 * A job (a call, a message, or a due timer) waits in the mailbox until it is the first, then it is a turn (TurnRunner); it is refused
 * when the activation ends, or its deadline has passed. States of the activation:
 *   alive      takes jobs; to ended by `end` (once the running turn is over), `endToMove` (between two turns), `abandon` (at once), or
 *              when it is dropped: the fence did not hold, the outcome of a commit is unknown, or a turn ran for too long;
 *   ended      takes none and arms no timer; what still runs meets the fence.
 */
export class Activation {
  readonly key: string;
  readonly row: ClaimedRow;
  readonly #ports: ActivationPorts;
  readonly #actor: Actor<unknown>;
  readonly #mailbox: Mailbox;
  readonly #timers: ActorTimers;
  readonly #turns: TurnRunner;
  readonly #reads: ActorReads;
  /** Ends when all is stored that is known of timers that failed. */
  #keeping: Promise<void> = Promise.resolve();
  #ended = false;
  /** Something else than ticks has been taken from the mailbox since it was empty. */
  #wasUsed = false;
  readonly #ticks: Ticks;
  #lastUsed: number;

  /** Throws what the kind's `migrate` does. */
  constructor(row: ClaimedRow, kind: ActorKind, ports: ActivationPorts) {
    this.key = actorKey(row);
    this.row = row;
    this.#ports = ports;
    this.#lastUsed = ports.clock.monotonic();
    const scope = (): Turn => this.#scope();
    this.#ticks = new Ticks(this.key, ports.clock, (work, settle) => this.#enqueueTick(work, settle));
    const tick = (everyMs: number, work: () => Promise<unknown>): (() => void) => this.#ticks.start(everyMs, work);
    const place = { nodeId: ports.nodeId, epoch: row.epoch };
    this.#actor = kind.create({ id: row.id, rng: ports.rng, place, scope, tick });
    const state = new ActorState(this.#actor, loadedState(kind, row), {
      ...{ what: () => `the state of ${this.key}`, bytes: Buffer.byteLength(row.state), most: kind.type.stateBytes },
    });
    this.#timers = this.#timersOf(row, ports);
    this.#turns = this.#runnerOf(state, ports);
    this.#reads = new ActorReads(row, { kind, state, timers: this.#timers }, ports);
    this.#mailbox = new Mailbox(
      (waiting) => {
        this.#wasUsed ||= !waiting.isTick;
        return this.#turns.take(waiting);
      },
      () => {
        if (this.#wasUsed) this.#lastUsed = ports.clock.monotonic();
        this.#wasUsed = false;
        // Nothing has been stored: whoever calls it next looks whether it is there by then.
        if ((row.isNew || row.isBlank) && !this.#ended) this.#drop();
      },
    );
  }

  #runnerOf(state: ActorState, ports: ActivationPorts): TurnRunner {
    return new TurnRunner(this.row, { state, timers: this.#timers }, ports, {
      hasEnded: () => this.#ended,
      holdsUpTurn: () => this.#mailbox.holdsUpTurn,
      drop: (when) => (when === "now" ? this.#drop() : this.#dropOnceKept()),
      destroyed: () => this.#destroyed(),
      dropHung: (undone) => this.#dropHung(undone),
      safely: (action) => this.#safely(action),
    });
  }

  #timersOf(row: ClaimedRow, { clock, log, metrics, arm }: ActivationPorts): ActorTimers {
    return new ActorTimers(row, this.#actor.timers, {
      clock,
      log,
      metrics,
      arm: (due) => {
        if (!this.#ended) arm(this.key, due);
      },
      enqueue: (name) => this.#enqueueFiring(name),
      keep: (records, why) => this.#keepTimers(records, why),
    });
  }

  #keepTimers(records: () => ReadonlyMap<string, TimerRecord>, why: "threw" | "given up"): Promise<Kept> {
    const { store, log } = this.#ports;
    const { version } = this.row;
    const by = why === "threw" ? "timers" : "control";
    // One after the other: the latest must not be overwritten by one before.
    const kept = this.#keeping.then(() => store.keepTimers(this.row, version, [...records().values()], by));
    this.#keeping = kept.then(
      () => {},
      (error: unknown) => log.debug({ err: error, actor: this.key }, "that a timer failed was not stored"),
    );
    return kept;
  }

  /** Its timers fire from now on. */
  start(): void {
    this.#timers.arm();
    this.#safely(() => this.#actor.activated?.());
  }

  /** Monotonic time of the last turn. */
  get lastUsed(): number {
    return this.#lastUsed;
  }

  get isIdle(): boolean {
    return this.#mailbox.isIdle;
  }

  /** Whether it may be moved to another node now. While a turn runs, that is a guess. */
  get mayMove(): boolean {
    let may = false;
    this.#safely(() => {
      may = this.#actor.mayMove?.() ?? true;
    });
    return may;
  }

  get soonestDue(): number | null {
    return this.#timers.soonestDue;
  }

  /** Puts a call into the mailbox; its outcome is settled after the commit. */
  call(request: ActorRequest, deadline: number): Promise<CallOutcome> {
    if (this.#ended) return Promise.resolve({ kind: "moved" });
    if (this.#mailbox.isFull) {
      const error = new RingmasterError(
        "overloaded",
        `${this.key} has ${MAILBOX_BOUND} calls waiting; try again in a moment.`,
      );
      return Promise.resolve({ kind: "error", error: error.toWire() });
    }
    const method = this.#methodOf(request.method);
    if (!method) {
      const error = new RingmasterError(
        "internal",
        `${request.kind} has no method ${request.method} that may be called`,
      );
      return Promise.resolve({ kind: "error", error: error.toWire() });
    }
    if (this.#reads.has(request)) return this.#read(request);
    const { edge } = request;
    return new Promise((settle) => {
      this.#mailbox.put({
        label: request.method,
        origin: request.chain.length > 0 ? "turn" : "call",
        chain: request.chain,
        deadline,
        requestId: request.requestId,
        ...(request.requestId !== undefined && !request.told && { digest: digestOf(request) }),
        ...(edge !== undefined && { edge }),
        ...(request.told ? { told: request.told } : {}),
        audit: request.audit,
        trace: captured(),
        // What it returns may be a part of its state.
        run: async () =>
          copyOf(await method.apply(this.#actor, request.args), () => `the answer of ${this.key}.${request.method}`),
        settle,
      });
      if (this.#mailbox.holdsUpTurn) this.#turns.exempt();
      if (edge !== undefined && request.chain.length > 0 && this.#mailbox.isWaiting(edge))
        this.#ports.waits({ edge, key: this.key });
    });
  }

  async #read(request: ActorRequest): Promise<CallOutcome> {
    const { clock, metrics } = this.#ports;
    const outcome = await this.#reads.read(request);
    this.#lastUsed = clock.monotonic();
    if (outcome.kind === "error") metrics.actorFailed(this.row.kind, outcome.error.code);
    // Its memory is another node's by now, or nothing of it is stored.
    const isOver = outcome.kind === "moved" || (this.row.isNew && this.#reads.isIdle && this.isIdle);
    if (isOver && !this.#ended) this.#drop();
    return outcome;
  }

  /** Whether this call waits in the mailbox, and has not begun. */
  isWaiting(edge: string): boolean {
    return this.#mailbox.isWaiting(edge);
  }

  /** Settles a call that has not begun with this error. Whether there was one. */
  withdraw(edge: string, error: RingmasterError): boolean {
    return this.#mailbox.withdraw(edge, failed(error));
  }

  #enqueueTick(work: () => Promise<unknown>, settle: () => void): void {
    if (this.#ended) return;
    this.#mailbox.put({
      ...{ label: "tick", origin: "timer", chain: [], deadline: Number.POSITIVE_INFINITY, requestId: undefined },
      ...{ isTick: true, run: work, settle },
    });
  }

  /** Fires whatever is due; called when the armed time has come. */
  fireDue(): void {
    this.#timers.fireDue();
  }

  /** Takes no more turns. The running one finishes; the waiting ones are told that the actor has moved. Resolves when it is still. */
  async end(): Promise<void> {
    this.#close();
    await this.#mailbox.still();
    this.#safely(() => this.#actor.deactivated?.());
  }

  /** Ends between two turns, unless the actor is not to be moved by then. Resolves to whether it has ended. */
  endToMove(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#mailbox.betweenTurns(() => {
        if (!this.#ended && !this.mayMove) return resolve(false);
        resolve(this.end().then(() => true));
      });
    });
  }

  /** Forgets what is in memory at once: the row may be another node's. The running turn meets the fence. */
  abandon(): void {
    this.#close();
    this.#safely(() => this.#actor.deactivated?.());
  }

  /** Runs what nobody waits for: where it throws, there is nobody to tell but the log. */
  #safely(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#ports.log.error({ err: error, actor: this.key }, "an actor failed outside its turns");
    }
  }

  /** Its row is gone. Those that wait call it anew, here. */
  #destroyed(): void {
    this.row.isNew = true;
    this.#close(this.#ports.nodeId);
    this.#safely(() => this.#actor.deactivated?.());
    this.#ports.drop(this);
  }

  /** `owner`: where those that wait should look for the actor. */
  #close(owner?: string): void {
    this.#ended = true;
    this.#timers.stop();
    this.#ticks.stop();
    this.#mailbox.turnAway(owner === undefined ? { kind: "moved" } : { kind: "moved", owner });
    // The turn is not begun any more. Whoever waits for the actor to be still may have the place that it waits for.
    this.#turns.exempt();
  }

  #scope(): Turn {
    const { turn } = this.#turns;
    if (!turn) throw new Error(`${this.key}: timers, SQL and events belong to a turn, and none is running`);
    return turn;
  }

  /** Only what the actor's own class declares may be called: nothing of Actor, Object, or the instance. */
  #methodOf(name: string): ((...args: unknown[]) => Promise<unknown>) | undefined {
    if (name === "constructor") return undefined;
    if (name === RETRY_TIMER) return async (timer) => this.#turns.turn!.retryTimer(String(timer));
    for (let type = Object.getPrototypeOf(this.#actor); type !== Actor.prototype; type = Object.getPrototypeOf(type)) {
      const found = Object.getOwnPropertyDescriptor(type, name)?.value;
      if (typeof found === "function") return found;
    }
    return undefined;
  }

  #drop(): void {
    this.abandon();
    this.#ports.drop(this);
  }

  #dropHung(undone: Promise<void> | undefined): void {
    this.#keeping = Promise.all([this.#keeping, undone]).then(
      () => {},
      (error: unknown) => this.#ports.log.warn({ err: error, actor: this.key }, "a turn was not undone"),
    );
    this.#dropOnceKept();
  }

  /** Its row is given up once all is stored that is known of its timers: that this turn's has failed, if it was one. */
  #dropOnceKept(): void {
    this.abandon();
    const { clock } = this.#ports;
    // By then its outcome has been settled.
    clock.schedule(() => void this.#keeping.finally(() => this.#ports.drop(this)), 0);
  }

  #enqueueFiring(name: string): void {
    if (this.#ended) return;
    this.#mailbox.put({
      label: `timer ${name}`,
      origin: "timer",
      chain: [],
      deadline: Number.POSITIVE_INFINITY,
      requestId: undefined,
      cause: this.#timers.records.get(name)?.trace,
      run: (turn) => this.#timers.fire(name, turn),
      settle: (outcome) => this.#timers.settle(name, outcome),
    });
  }
}
