import type { Clock } from "../../clock.ts";
import { RingmasterError } from "../../errors.ts";
import { detached } from "../../tracing.ts";
import type { ActorState } from "./ActorState.ts";
import { type ActorStore, Fenced } from "./ActorStore.ts";
import type { ActorTimers } from "./ActorTimers.ts";
import type { ClaimedRow } from "./actorRow.ts";
import type { WaitingTurn } from "./Mailbox.ts";
import { isDone, marked } from "./marks.ts";
import type { Stored } from "./messages.ts";
import type { Log, RuntimeMetrics } from "./ports.ts";
import { actorKey, type CallOutcome } from "./protocol.ts";
import { Turn } from "./Turn.ts";
import type { TurnEntry, TurnOrigin, TurnPass } from "./TurnGate.ts";
import { TurnWatchdog } from "./TurnWatchdog.ts";
import { insideTurn } from "./turnContext.ts";
import { failed, failureOfTurn } from "./turnFailure.ts";
import { tracedTurn } from "./turnTrace.ts";

/** What turns need of the runtime. */
export interface TurnRunnerPorts {
  nodeId: string;
  store: ActorStore;
  clock: Clock;
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
}

/** What the activation does about how its turns go. */
export interface TurnHost {
  hasEnded(): boolean;
  /** Whether another turn waits for one of this actor's. */
  holdsUpTurn(): boolean;
  /** What is in memory can no longer be trusted. `kept`: its row is given up once all is stored that is known of its timers. */
  drop(when: "now" | "kept"): void;
  /** A turn takes too long: its activation is dropped once what is left of the turn is undone. */
  dropHung(undone: Promise<void> | undefined): void;
  /** Its row is gone. */
  destroyed(): void;
  /** Runs what nobody waits for. */
  safely(action: () => void): void;
}

/** A turn that runs longer has its callers told that the outcome is unknown, and its actor is loaded anew (the fence stops it). */
const LONGEST_TURN_MS = 30_000;

/**
 * Carries the turns of one activation through, one at a time: from the gate to the commit.
 *
 * States of a turn, once its mailbox has handed it over:
 *   entering   waits for a place at the gate and for its pass (CrashBlame); to running, or to (refused) when the activation ends, or its
 *              deadline has passed;
 *   running    edits a draft; to committing when its method returns, to (failed) when it throws, and nothing is stored;
 *   committing to (done) when the fence held; to (lost) when it did not, or nobody knows: the activation is dropped.
 */
export class TurnRunner {
  readonly #row: ClaimedRow;
  readonly #key: string;
  readonly #timers: ActorTimers;
  readonly #ports: TurnRunnerPorts;
  readonly #host: TurnHost;
  readonly #state: ActorState;
  /** The next turn, while it waits until it may begin. */
  #entry: TurnEntry | undefined;
  #turn: Turn | undefined;
  /** The lease that held when the row was last known to be ours. */
  #lease: number | undefined;

  constructor(
    row: ClaimedRow,
    { state, timers }: { state: ActorState; timers: ActorTimers },
    ports: TurnRunnerPorts,
    host: TurnHost,
  ) {
    this.#row = row;
    this.#key = actorKey(row);
    this.#timers = timers;
    this.#ports = ports;
    this.#host = host;
    this.#state = state;
  }

  /** The turn that is running. */
  get turn(): Turn | undefined {
    return this.#turn;
  }

  /** The turn that waits for a place is waited for by another turn, or is not to be begun any more. */
  exempt(): void {
    this.#entry?.exempt();
  }

  /** Runs a turn to its end. Never rejects. */
  async take(waiting: WaitingTurn): Promise<CallOutcome> {
    const { nodeId } = this.#ports;
    const outcome = await tracedTurn({ kind: this.#row.kind, nodeId }, waiting, () => this.#takeInTime(waiting));
    if (outcome.kind === "error") this.#ports.metrics.actorFailed(this.#row.kind, outcome.error.code);
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
      if (!this.#host.hasEnded() && !this.#isLate(waiting)) return await this.#runWatched(waiting, pass);
      pass.ended(undefined);
      return this.#host.hasEnded() ? { kind: "moved" } : this.#notBegun(waiting);
    } finally {
      pass.release();
    }
  }

  async #enter(origin: TurnOrigin): Promise<TurnPass> {
    const entry = this.#ports.enterTurn(this.#row, origin);
    if (this.#host.holdsUpTurn()) entry.exempt();
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
        `${this.#key}.${label}: the deadline passed before its turn came; nothing happened.`,
      ),
    );
  }

  /** Resolves at the latest when the turn has run for too long; what still runs of it then meets the fence. */
  async #runWatched(waiting: WaitingTurn, pass: TurnPass): Promise<CallOutcome> {
    const { clock, log, metrics } = this.#ports;
    const startedAt = clock.monotonic();
    const { promise: late, resolve } = Promise.withResolvers<CallOutcome>();
    const watchdog = new TurnWatchdog(clock, LONGEST_TURN_MS, () => {
      log.error({ actor: this.#key, method: waiting.label }, "a turn takes too long; the actor is loaded anew");
      this.#host.dropHung(this.#turn?.abandon());
      resolve({ ...failed(new RingmasterError("outcome_unknown")), isOwn: true, isGivenUp: true });
    });
    const running = this.#runTurn(waiting, watchdog).then((outcome) => {
      pass.ended(outcome);
      return outcome;
    });
    const outcome = await Promise.race([running, late]);
    watchdog.stop();
    metrics.turn(this.#row.kind, (clock.monotonic() - startedAt) / 1000);
    return outcome;
  }

  async #runTurn(waiting: WaitingTurn, watchdog: TurnWatchdog): Promise<CallOutcome> {
    const { store, clock } = this.#ports;
    const whileWaiting = <T>(wait: Promise<T>): Promise<T> => watchdog.during(wait);
    const { audit, origin } = waiting;
    const turn = new Turn(this.#row, this.#timers.records, { store, origin, audit, now: clock.now(), whileWaiting });
    try {
      const earlier = await this.#earlier(waiting, turn);
      if (earlier) return earlier;
      // The watchdog has had enough meanwhile.
      if (this.#host.hasEnded()) return { kind: "moved" };
      this.#turn = turn;
      this.#state.begin();
      const value = await insideTurn({ chain: [...waiting.chain, this.#key], turn }, () => waiting.run(turn));
      const outcome = await this.#commit(turn, waiting, value);
      for (const action of turn.afterwards)
        clock.schedule(() => (turn.isDestroyed || !this.#host.hasEnded()) && this.#host.safely(action), 0);
      return outcome;
    } catch (error) {
      await turn.rollback();
      if (this.#turn === turn) this.#state.undo();
      return this.#failure(waiting, error, true);
    } finally {
      turn.running = false;
      if (this.#turn === turn) this.#turn = undefined;
    }
  }

  /** The answer to what this actor has had before; undefined when the turn is to run. */
  async #earlier({ told, requestId, digest }: WaitingTurn, turn: Turn): Promise<CallOutcome | undefined> {
    const { store } = this.#ports;
    if (told) {
      const before = await store.mark(this.#row, told);
      if (isDone(before, told)) return { kind: "ok", value: null };
      turn.hear({ from: told, before, after: marked(before, told) });
    }
    // A message is known by its request id where a node of the version before took it.
    if (requestId === undefined || told?.isRepeat === false) return undefined;
    const stored = await store.response(this.#row, requestId);
    if (stored === undefined) return undefined;
    // An answer of before this was stored fits every repeat.
    if (stored.digest !== null && digest !== undefined && stored.digest !== digest)
      throw new RingmasterError("conflict", `The request id ${requestId} has been used for another call.`);
    return { kind: "ok", value: JSON.parse(stored.response).value };
  }

  async #commit(turn: Turn, waiting: WaitingTurn, value: unknown): Promise<CallOutcome> {
    const response =
      waiting.requestId === undefined || waiting.digest === undefined
        ? undefined
        : { requestId: waiting.requestId, digest: waiting.digest, text: JSON.stringify({ value }) };
    const lease = this.#ports.lease();
    const draft = turn.isDestroyed ? undefined : this.#state.changed();
    const result = await turn.commit(draft?.text, response);
    if (!result.changed) {
      const isSure = lease !== undefined && lease === this.#lease;
      if (!isSure && !(await this.#ports.store.holds(this.#row))) throw new Fenced(`${this.#key} has another owner`);
      this.#lease = lease;
      return { kind: "ok", value };
    }
    this.#lease = lease;
    this.#row.version += 1;
    detached(() => this.#ports.deliver(result.stored));
    if (turn.isDestroyed) {
      this.#host.destroyed();
      return { kind: "ok", value };
    }
    delete this.#row.isNew;
    delete this.#row.isBlank;
    this.#state.committed(draft);
    this.#timers.replace(result.timers);
    return { kind: "ok", value };
  }

  /** What a turn that threw means for its caller, and for this activation. `hasBegun`: it is not that it could not be begun. */
  #failure(waiting: WaitingTurn, error: unknown, hasBegun: boolean): CallOutcome {
    const { log, lookForMessages } = this.#ports;
    const { outcome, isLost, mayBeStored, why } = failureOfTurn(error, hasBegun);
    // That its timer fails is stored while the row is this activation's.
    if (isLost) this.#host.drop(mayBeStored && waiting.origin === "timer" ? "kept" : "now");
    if (mayBeStored) lookForMessages();
    const fields = { err: error, actor: this.#key, method: waiting.label };
    if (why === "database") log.warn(fields, "a turn could not be stored");
    if (why === "fault") log.error(fields, "a turn failed");
    return outcome;
  }
}
