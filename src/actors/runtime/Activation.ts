import { AsyncLocalStorage } from "node:async_hooks";
import type { Clock, Rng } from "../../clock.ts";
import { CommitUnknown, failureOf } from "../../entities/sql.ts";
import { RingmasterError, toRingmasterError } from "../../errors.ts";
import { Actor, type ActorContext } from "./Actor.ts";
import { type ActorStore, type ClaimedRow, CRASHES_SHARED, Fenced, type OutboxRow } from "./ActorStore.ts";
import type { Log, RuntimeMetrics } from "./ports.ts";
import { type ActorRequest, actorKey, type CallOutcome } from "./protocol.ts";
import type { SuspectGate } from "./SuspectGate.ts";
import { Turn } from "./Turn.ts";
import { planFiring, soonestDue, type TimerRecord } from "./timers.ts";

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
  suspects: SuspectGate;
  /** The turn committed these messages. */
  deliver(rows: OutboxRow[]): void;
  /** The turn may have committed messages: the outbox has to look into its table. */
  lookForMessages(): void;
  /** The soonest due time has changed (null: no timers). */
  arm(key: string, due: number | null): void;
  /** This activation's memory can no longer be trusted; the next call loads the actor anew. */
  drop(activation: Activation): void;
}

interface TurnContext {
  /** The actors whose turns wait for each other, outermost first. */
  chain: string[];
  turn: Turn;
}

const turnContext = new AsyncLocalStorage<TurnContext | undefined>();

/** The turn that the calling code is part of; none for code that merely was started by a turn that has ended since. */
export function currentTurn(): TurnContext | undefined {
  const context = turnContext.getStore();
  return context?.turn.running ? context : undefined;
}

/** Runs what no turn waits for, also where a turn happens to have set it off. */
export function outsideTurns<T>(work: () => T): T {
  return turnContext.run(undefined, work);
}

/** Calls that may wait for an actor; beyond it a call fails at once as overloaded. */
export const MAILBOX_BOUND = 1024;
/** A turn that runs longer has its callers told that the outcome is unknown, and its actor is loaded anew (the fence stops it). */
const LONGEST_TURN_MS = 30_000;
/** An activation this old has shown that its actor does not crash its node. */
const HEALTHY_AFTER_MS = 10_000;
/** A timer whose handler throws is tried again after 1 s, 2 s, 4 s …, at most this. */
const LONGEST_RETRY_MS = 60_000;

interface Job {
  label: string;
  chain: string[];
  /** Monotonic; past it the job is not begun. */
  deadline: number;
  requestId: string | undefined;
  run(turn: Turn): Promise<unknown>;
  settle(outcome: CallOutcome): void;
}

/** One actor living on this node: its mailbox, and its turns, one at a time. */
export class Activation {
  readonly key: string;
  readonly row: ClaimedRow;
  readonly #ports: ActivationPorts;
  readonly #actor: Actor<unknown>;
  readonly #bornAt: number;
  readonly #mailbox: Job[] = [];
  /** Timers whose firing waits in the mailbox. */
  readonly #queued = new Set<string>();
  readonly #retries = new Map<string, { attempt: number; notBefore: number }>();
  #timers: Map<string, TimerRecord>;
  #committed: string;
  #turn: Turn | undefined;
  /** The lease that held when the row was last known to be ours. */
  #lease: number | undefined;
  #busy = false;
  #ended = false;
  #idle: (() => void) | undefined;
  #lastUsed: number;

  constructor(row: ClaimedRow, create: (context: ActorContext) => Actor<unknown>, ports: ActivationPorts) {
    this.key = actorKey(row);
    this.row = row;
    this.#ports = ports;
    this.#timers = new Map(row.timers.map((timer) => [timer.name, timer]));
    this.#committed = row.state;
    this.#bornAt = ports.clock.monotonic();
    this.#lastUsed = this.#bornAt;
    const place = { nodeId: ports.nodeId, epoch: row.epoch };
    this.#actor = create({ id: row.id, rng: ports.rng, place, scope: () => this.#scope() });
    this.#actor.state = JSON.parse(row.state);
  }

  /** Its timers fire from now on. */
  start(): void {
    this.#arm();
  }

  /** Whether this actor came here from a crashed node and has lived long enough to show that it was not the cause. */
  get isProvenHealthy(): boolean {
    return this.row.crashes > 0 && this.#ports.clock.monotonic() - this.#bornAt > HEALTHY_AFTER_MS;
  }

  /** Monotonic time of the last turn. */
  get lastUsed(): number {
    return this.#lastUsed;
  }

  get isIdle(): boolean {
    return !this.#busy && this.#mailbox.length === 0;
  }

  get soonestDue(): number | null {
    return soonestDue(this.#timers.values());
  }

  /** Puts a call into the mailbox; its outcome is settled after the commit. */
  call(request: ActorRequest, deadline: number): Promise<CallOutcome> {
    if (this.#ended) return Promise.resolve({ kind: "moved" });
    if (this.#mailbox.length >= MAILBOX_BOUND) {
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
      this.#enqueue({
        label: request.method,
        chain: request.chain,
        deadline,
        requestId: request.requestId,
        run: () => method.apply(this.#actor, request.args),
        settle,
      });
    });
  }

  /** Fires whatever is due; called when the armed time has come. */
  fireDue(): void {
    const now = this.#ports.clock.now();
    for (const timer of this.#timers.values()) {
      if (this.#effectiveDue(timer) <= now) this.#enqueueFiring(timer.name);
    }
    this.#arm();
  }

  /** Takes no more turns. The running one finishes; the waiting ones are told that the actor has moved. Resolves when it is still. */
  async end(): Promise<void> {
    this.#close();
    if (this.#busy) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    this.#safely(() => this.#actor.deactivated?.());
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
    for (const job of this.#mailbox.splice(0)) job.settle({ kind: "moved" });
  }

  #scope(): Turn {
    if (!this.#turn) throw new Error(`${this.key}: timers, SQL and events belong to a turn, and none is running`);
    return this.#turn;
  }

  /** Only what the actor's own class declares may be called: nothing of Actor, Object, or the instance. */
  #methodOf(name: string): ((...args: unknown[]) => Promise<unknown>) | undefined {
    if (name === "constructor") return undefined;
    for (let type = Object.getPrototypeOf(this.#actor); type !== Actor.prototype; type = Object.getPrototypeOf(type)) {
      const found = Object.getOwnPropertyDescriptor(type, name)?.value;
      if (typeof found === "function") return found;
    }
    return undefined;
  }

  #enqueue(job: Job): void {
    this.#mailbox.push(job);
    if (!this.#busy) void this.#work();
  }

  async #work(): Promise<void> {
    this.#busy = true;
    for (let job = this.#mailbox.shift(); job; job = this.#mailbox.shift()) {
      const outcome = await this.#take(job);
      if (outcome.kind === "error") this.#ports.metrics.actorFailed(this.row.kind, outcome.error.code);
      job.settle(outcome);
    }
    this.#busy = false;
    this.#lastUsed = this.#ports.clock.monotonic();
    this.#idle?.();
  }

  async #take(job: Job): Promise<CallOutcome> {
    const startedAt = this.#ports.clock.monotonic();
    if (startedAt > job.deadline) {
      return failed(
        new RingmasterError(
          "not_delivered",
          `${this.key}.${job.label}: the deadline passed before its turn came; nothing happened.`,
        ),
      );
    }
    let timedOut: () => void = () => {};
    const watchdog = new Promise<CallOutcome>((resolve) => {
      timedOut = this.#ports.clock.schedule(() => {
        this.#ports.log.error(
          { actor: this.key, method: job.label },
          "a turn takes too long; the actor is loaded anew",
        );
        this.#drop();
        resolve(failed(new RingmasterError("outcome_unknown")));
      }, LONGEST_TURN_MS);
    });
    const outcome = await Promise.race([this.#turnOf(job), watchdog]);
    timedOut();
    this.#ports.metrics.turn(this.row.kind, (this.#ports.clock.monotonic() - startedAt) / 1000);
    return outcome;
  }

  #turnOf(job: Job): Promise<CallOutcome> {
    if (this.row.crashes < CRASHES_SHARED) return this.#runTurn(job);
    // Whoever is inside the gate may be waiting for this very call.
    return job.chain.length > 0 ? this.#suspectTurn(job) : this.#ports.suspects.pass(() => this.#suspectTurn(job));
  }

  /** The nodes that this actor lived on died: that a turn of it begins is written down, in case that it was its doing. */
  async #suspectTurn(job: Job): Promise<CallOutcome> {
    const { store } = this.#ports;
    const { version } = this.row;
    try {
      await store.accuse(this.row);
    } catch (error) {
      return this.#failure(job, error);
    }
    const outcome = await this.#runTurn(job);
    // A turn that commits does this along with it; what fails here is made good by the next one that does.
    if (this.row.version === version) await store.acquit(this.row).catch(() => {});
    return outcome;
  }

  async #runTurn(job: Job): Promise<CallOutcome> {
    const { store, clock } = this.#ports;
    const turn = new Turn(this.row, this.#timers, store, clock.now());
    try {
      if (job.requestId !== undefined) {
        const stored = await store.response(this.row, job.requestId);
        if (stored !== undefined) return { kind: "ok", value: JSON.parse(stored).value };
      }
      this.#turn = turn;
      const value = await turnContext.run({ chain: [...job.chain, this.key], turn }, () => job.run(turn));
      const outcome = await this.#commit(turn, job, value);
      for (const action of turn.afterwards) clock.schedule(() => !this.#ended && this.#safely(action), 0);
      return outcome;
    } catch (error) {
      await turn.rollback();
      if (this.#turn === turn) this.#actor.state = JSON.parse(this.#committed);
      return this.#failure(job, error);
    } finally {
      turn.running = false;
      if (this.#turn === turn) this.#turn = undefined;
    }
  }

  async #commit(turn: Turn, job: Job, value: unknown): Promise<CallOutcome> {
    const response =
      job.requestId === undefined ? undefined : { requestId: job.requestId, text: JSON.stringify({ value }) };
    const healthy = this.#ports.clock.monotonic() - this.#bornAt > HEALTHY_AFTER_MS;
    const lease = this.#ports.lease();
    const result = await turn.commit(this.#actor.state, this.#committed, response, healthy);
    if (!result.changed) {
      const isSure = lease !== undefined && lease === this.#lease;
      if (!isSure && !(await this.#ports.store.holds(this.row))) throw new Fenced(`${this.key} has another owner`);
      this.#lease = lease;
      return { kind: "ok", value };
    }
    this.#lease = lease;
    this.row.version += 1;
    if (healthy) this.row.crashes = 0;
    this.#committed = result.state;
    this.#timers = result.timers;
    this.#arm();
    if (result.outbox.length > 0) this.#ports.deliver(result.outbox);
    return { kind: "ok", value };
  }

  /** What a turn that threw means for its caller, and for this activation. */
  #failure(job: Job, error: unknown): CallOutcome {
    if (error instanceof Fenced) {
      this.#drop();
      return { kind: "moved" };
    }
    if (error instanceof CommitUnknown) {
      this.#drop();
      this.#ports.lookForMessages();
      return failed(new RingmasterError("outcome_unknown", undefined, undefined, { cause: error }));
    }
    if (error instanceof RingmasterError) return failed(error);
    const why = failureOf(error);
    if (why !== "fault") {
      // The transaction was never sent or was rolled back with its connection: nothing happened.
      this.#ports.log.warn({ err: error, actor: this.key, method: job.label }, "a turn could not be stored");
      return failed(
        new RingmasterError(
          "not_delivered",
          "The database is out of reach; nothing happened, and it is safe to repeat.",
        ),
      );
    }
    this.#ports.log.error({ err: error, actor: this.key, method: job.label }, "a turn failed");
    return failed(toRingmasterError(error));
  }

  #drop(): void {
    this.abandon();
    this.#ports.drop(this);
  }

  #effectiveDue(timer: TimerRecord): number {
    const retry = this.#retries.get(timer.name);
    return retry ? Math.max(timer.due, retry.notBefore) : timer.due;
  }

  #arm(): void {
    if (this.#ended) return;
    let soonest: number | null = null;
    for (const timer of this.#timers.values()) {
      if (this.#queued.has(timer.name)) continue;
      const due = this.#effectiveDue(timer);
      if (soonest === null || due < soonest) soonest = due;
    }
    this.#ports.arm(this.key, soonest);
  }

  #enqueueFiring(name: string): void {
    if (this.#queued.has(name) || this.#ended) return;
    this.#queued.add(name);
    this.#enqueue({
      label: `timer ${name}`,
      chain: [],
      deadline: Number.POSITIVE_INFINITY,
      requestId: undefined,
      run: (turn) => this.#fire(name, turn),
      settle: (outcome) => this.#settleFiring(name, outcome),
    });
  }

  async #fire(name: string, turn: Turn): Promise<void> {
    const record = this.#timers.get(name);
    if (!record || record.due > turn.now) return;
    const plan = planFiring(record, turn.now);
    turn.advanceTimer(name, plan.next);
    if (!plan.firing) return;
    const handler = this.#actor.timers[name];
    if (!handler) {
      this.#ports.log.error(
        { actor: this.key, timer: name },
        "the actor has no handler of this name; the timer is dropped",
      );
      return turn.cancelTimer(name);
    }
    this.#ports.metrics.timerLateness(this.row.kind, Math.max(0, turn.now - plan.firing.dueAt) / 1000);
    await handler(plan.firing);
  }

  #settleFiring(name: string, outcome: CallOutcome): void {
    this.#queued.delete(name);
    if (outcome.kind === "error") {
      const attempt = (this.#retries.get(name)?.attempt ?? 0) + 1;
      const waitMs = Math.min(LONGEST_RETRY_MS, 1000 * 2 ** Math.min(attempt - 1, 16));
      this.#retries.set(name, { attempt, notBefore: this.#ports.clock.now() + waitMs });
      this.#ports.log.warn(
        { actor: this.key, timer: name, attempt, waitMs, code: outcome.error.code },
        "a timer failed and is tried again",
      );
    } else if (outcome.kind === "ok") this.#retries.delete(name);
    this.#arm();
  }
}

function failed(error: RingmasterError): CallOutcome {
  return { kind: "error", error: error.toWire() };
}
