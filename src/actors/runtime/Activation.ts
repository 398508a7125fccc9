import type { Clock, Rng } from "../../clock.ts";
import { CommitUnknown, failureOf, mayBeItsOwnDoing } from "../../entities/failures.ts";
import { RingmasterError, toRingmasterError } from "../../errors.ts";
import { Actor, type ActorContext } from "./Actor.ts";
import { type ActorStore, Fenced, type Kept } from "./ActorStore.ts";
import { ActorTimers } from "./ActorTimers.ts";
import type { ClaimedRow } from "./actorRow.ts";
import { RETRY_TIMER } from "./FailingTimers.ts";
import { MAILBOX_BOUND, Mailbox, type WaitingTurn } from "./Mailbox.ts";
import { MarkMoved } from "./MarkTable.ts";
import { isDone, marked } from "./marks.ts";
import type { Stored } from "./messages.ts";
import type { Log, RuntimeMetrics } from "./ports.ts";
import { type ActorRequest, actorKey, type CallOutcome } from "./protocol.ts";
import { Turn } from "./Turn.ts";
import type { TurnEntry, TurnOrigin, TurnPass } from "./TurnGate.ts";
import { TurnWatchdog } from "./TurnWatchdog.ts";
import type { TimerRecord } from "./timers.ts";
import { insideTurn } from "./turnContext.ts";

/** What an activation needs of its runtime. */
export interface ActivationPorts {
  nodeId: string;
  store: ActorStore;
  clock: Clock;
  rng: Rng;
  log: Log;
  metrics: RuntimeMetrics;
  /** Under which this node may answer reads from memory; another number than before: look whose the actor is. */
  lease(): number | undefined;
  /** Has a turn of the actor wait until it may begin. */
  enterTurn(row: ClaimedRow, origin: TurnOrigin): TurnEntry;
  /** The turn committed these messages. */
  deliver(messages: Stored): void;
  /** The turn may have committed messages: the outbox has to look into its table. */
  lookForMessages(): void;
  /** The soonest due time has changed (null: no timers). */
  arm(key: string, due: number | null): void;
  /** This activation's memory can no longer be trusted; the next call loads the actor anew. */
  drop(activation: Activation): void;
}

/** A turn that runs longer has its callers told that the outcome is unknown, and its actor is loaded anew (the fence stops it). */
const LONGEST_TURN_MS = 30_000;

/**
 * One actor living on this node: its mailbox, and its turns, one at a time.
 *
 * States of a job (a call, a message, or a due timer), of which the mailbox begins one at a time:
 *   waiting    to entering when it is the first; to (refused) when the activation ends, or its deadline has passed;
 *   entering   waits for a place at the gate and for its pass (CrashBlame); to running, or to (refused) as before;
 *   running    edits a draft; to committing when its method returns, to (failed) when it throws, and nothing is stored;
 *   committing to (done) when the fence held; to (lost) when it did not, or nobody knows: the activation is dropped.
 *
 * States of the activation:
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
  #committed: string;
  /** Ends when all is stored that is known of timers that failed. */
  #keeping: Promise<void> = Promise.resolve();
  /** The next turn, while it waits until it may begin. */
  #entry: TurnEntry | undefined;
  #turn: Turn | undefined;
  /** The lease that held when the row was last known to be ours. */
  #lease: number | undefined;
  #ended = false;
  #lastUsed: number;

  constructor(row: ClaimedRow, create: (context: ActorContext) => Actor<unknown>, ports: ActivationPorts) {
    this.key = actorKey(row);
    this.row = row;
    this.#ports = ports;
    this.#committed = row.state;
    this.#lastUsed = ports.clock.monotonic();
    const place = { nodeId: ports.nodeId, epoch: row.epoch };
    this.#actor = create({ id: row.id, rng: ports.rng, place, scope: () => this.#scope() });
    this.#actor.state = JSON.parse(row.state);
    this.#timers = this.#timersOf(row, ports);
    this.#mailbox = new Mailbox(
      (waiting) => this.#take(waiting),
      () => {
        this.#lastUsed = ports.clock.monotonic();
      },
    );
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
    return new Promise((settle) => {
      this.#mailbox.put({
        label: request.method,
        origin: request.chain.length > 0 ? "turn" : "call",
        chain: request.chain,
        deadline,
        requestId: request.requestId,
        ...(request.told ? { told: request.told } : {}),
        audit: request.audit,
        run: () => method.apply(this.#actor, request.args),
        settle,
      });
      if (this.#mailbox.holdsUpTurn) this.#entry?.exempt();
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

  #close(): void {
    this.#ended = true;
    this.#timers.stop();
    this.#mailbox.turnAway();
    // The turn is not begun any more. Whoever waits for the actor to be still may have the place that it waits for.
    this.#entry?.exempt();
  }

  #scope(): Turn {
    if (!this.#turn) throw new Error(`${this.key}: timers, SQL and events belong to a turn, and none is running`);
    return this.#turn;
  }

  /** Only what the actor's own class declares may be called: nothing of Actor, Object, or the instance. */
  #methodOf(name: string): ((...args: unknown[]) => Promise<unknown>) | undefined {
    if (name === "constructor") return undefined;
    if (name === RETRY_TIMER) return async (timer) => this.#turn!.retryTimer(String(timer));
    for (let type = Object.getPrototypeOf(this.#actor); type !== Actor.prototype; type = Object.getPrototypeOf(type)) {
      const found = Object.getOwnPropertyDescriptor(type, name)?.value;
      if (typeof found === "function") return found;
    }
    return undefined;
  }

  async #take(waiting: WaitingTurn): Promise<CallOutcome> {
    const outcome = await this.#takeInTime(waiting);
    if (outcome.kind === "error") this.#ports.metrics.actorFailed(this.row.kind, outcome.error.code);
    return outcome;
  }

  async #takeInTime(waiting: WaitingTurn): Promise<CallOutcome> {
    if (this.#isLate(waiting)) return this.#notBegun(waiting);
    let pass: TurnPass;
    try {
      pass = await this.#enter(waiting.origin);
    } catch (error) {
      return this.#failure(waiting, error, false);
    }
    try {
      if (!this.#ended && !this.#isLate(waiting)) return await this.#runWatched(waiting, pass);
      pass.ended(undefined);
      return this.#ended ? { kind: "moved" } : this.#notBegun(waiting);
    } finally {
      pass.release();
    }
  }

  async #enter(origin: TurnOrigin): Promise<TurnPass> {
    const entry = this.#ports.enterTurn(this.row, origin);
    if (this.#mailbox.holdsUpTurn) entry.exempt();
    this.#entry = entry;
    try {
      return await entry.pass;
    } finally {
      this.#entry = undefined;
    }
  }

  #isLate({ deadline }: WaitingTurn): boolean {
    return this.#ports.clock.monotonic() > deadline;
  }

  #notBegun({ label }: WaitingTurn): CallOutcome {
    return failed(
      new RingmasterError(
        "not_delivered",
        `${this.key}.${label}: the deadline passed before its turn came; nothing happened.`,
      ),
    );
  }

  /** Resolves at the latest when the turn has run for too long; what still runs of it then meets the fence. */
  async #runWatched(waiting: WaitingTurn, pass: TurnPass): Promise<CallOutcome> {
    const { clock, log, metrics } = this.#ports;
    const startedAt = clock.monotonic();
    const { promise: late, resolve } = Promise.withResolvers<CallOutcome>();
    const watchdog = new TurnWatchdog(clock, LONGEST_TURN_MS, () => {
      log.error({ actor: this.key, method: waiting.label }, "a turn takes too long; the actor is loaded anew");
      this.#dropHung();
      resolve({ ...failed(new RingmasterError("outcome_unknown")), isOwn: true, isGivenUp: true });
    });
    const running = this.#runTurn(waiting, watchdog).then((outcome) => {
      pass.ended(outcome);
      return outcome;
    });
    const outcome = await Promise.race([running, late]);
    watchdog.stop();
    metrics.turn(this.row.kind, (clock.monotonic() - startedAt) / 1000);
    return outcome;
  }

  async #runTurn(waiting: WaitingTurn, watchdog: TurnWatchdog): Promise<CallOutcome> {
    const { store, clock } = this.#ports;
    const whileWaiting = <T>(wait: Promise<T>): Promise<T> => watchdog.during(wait);
    const { audit, origin } = waiting;
    const turn = new Turn(this.row, this.#timers.records, { store, origin, audit, now: clock.now(), whileWaiting });
    try {
      const earlier = await this.#earlier(waiting, turn);
      if (earlier) return earlier;
      // The watchdog has had enough meanwhile.
      if (this.#ended) return { kind: "moved" };
      this.#turn = turn;
      const value = await insideTurn({ chain: [...waiting.chain, this.key], turn }, () => waiting.run(turn));
      const outcome = await this.#commit(turn, waiting, value);
      for (const action of turn.afterwards) clock.schedule(() => !this.#ended && this.#safely(action), 0);
      return outcome;
    } catch (error) {
      await turn.rollback();
      if (this.#turn === turn) this.#actor.state = JSON.parse(this.#committed);
      return this.#failure(waiting, error, true);
    } finally {
      turn.running = false;
      if (this.#turn === turn) this.#turn = undefined;
    }
  }

  /** The answer to what this actor has had before; undefined when the turn is to run. */
  async #earlier({ told, requestId }: WaitingTurn, turn: Turn): Promise<CallOutcome | undefined> {
    const { store } = this.#ports;
    if (told) {
      const before = await store.mark(this.row, told);
      if (isDone(before, told)) return { kind: "ok", value: null };
      turn.hear({ from: told, before, after: marked(before, told) });
    }
    // A message is known by its request id where a node of the version before took it.
    if (requestId === undefined || told?.isRepeat === false) return undefined;
    const stored = await store.response(this.row, requestId);
    return stored === undefined ? undefined : { kind: "ok", value: JSON.parse(stored).value };
  }

  async #commit(turn: Turn, waiting: WaitingTurn, value: unknown): Promise<CallOutcome> {
    const response =
      waiting.requestId === undefined || waiting.told
        ? undefined
        : { requestId: waiting.requestId, text: JSON.stringify({ value }) };
    const lease = this.#ports.lease();
    const result = await turn.commit(this.#actor.state, this.#committed, response);
    if (!result.changed) {
      const isSure = lease !== undefined && lease === this.#lease;
      if (!isSure && !(await this.#ports.store.holds(this.row))) throw new Fenced(`${this.key} has another owner`);
      this.#lease = lease;
      return { kind: "ok", value };
    }
    this.#lease = lease;
    this.row.version += 1;
    this.#committed = result.state;
    this.#timers.replace(result.timers);
    this.#ports.deliver(result.stored);
    return { kind: "ok", value };
  }

  /** What a turn that threw means for its caller, and for this activation. `hasBegun`: it is not that it could not be begun. */
  #failure(waiting: WaitingTurn, error: unknown, hasBegun: boolean): CallOutcome {
    if (error instanceof Fenced) {
      this.#drop();
      return { kind: "moved" };
    }
    if (error instanceof CommitUnknown) {
      // That its timer fails is stored while the row is this activation's.
      if (waiting.origin === "timer") this.#dropOnceKept();
      else this.#drop();
      this.#ports.lookForMessages();
      return { ...failed(new RingmasterError("outcome_unknown")), isGivenUp: true };
    }
    if (error instanceof MarkMoved) return failed(new RingmasterError("not_delivered"));
    if (error instanceof RingmasterError) return { ...failed(error), isOwn: true };
    const why = failureOf(error);
    if (why !== "fault") {
      // The transaction was never sent or was rolled back with its connection: nothing happened.
      this.#ports.log.warn({ err: error, actor: this.key, method: waiting.label }, "a turn could not be stored");
      const code = (error as { code?: unknown }).code ?? "no answer";
      return {
        ...failed(
          new RingmasterError(
            "not_delivered",
            `The database did not do it (${code}); nothing happened, and it is safe to repeat.`,
          ),
        ),
        isGivenUp: hasBegun && mayBeItsOwnDoing(error),
      };
    }
    this.#ports.log.error({ err: error, actor: this.key, method: waiting.label }, "a turn failed");
    return { ...failed(toRingmasterError(error)), isOwn: true };
  }

  #drop(): void {
    this.abandon();
    this.#ports.drop(this);
  }

  #dropHung(): void {
    const undone = this.#turn?.abandon();
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
      run: (turn) => this.#timers.fire(name, turn),
      settle: (outcome) => this.#timers.settle(name, outcome),
    });
  }
}

function failed(error: RingmasterError): CallOutcome & { kind: "error" } {
  return { kind: "error", error: error.toWire() };
}
