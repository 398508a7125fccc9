import type { Clock } from "../../clock.ts";
import type { CommitResult } from "../../entities/journaling.ts";
import { RingmasterError } from "../../errors.ts";
import { RENEWAL } from "./LoadLease.ts";
import { Rebuilds } from "./Rebuilds.ts";
import { DECISION_DEADLINE_MS, RetryDeadline } from "./RetryDeadline.ts";

/** What the hot state of an event has answered. */
export type Decided<Result> =
  /** Nothing is to be committed. */
  | { kind: "final"; result: Result }
  /** It counts once it is committed, under the epoch of the hot state. */
  | { kind: "decided"; result: Result; epoch: number; commit(): Promise<CommitResult> }
  /** The hot state is lost. */
  | { kind: "missing" };

/** Something that hot state is to decide. */
export interface Decision<Result> {
  /** Throws when it is not to be decided (any more). Asked before each attempt. */
  require(): void;
  /** Asks the hot state. Throws what that refuses with. */
  decide(): Promise<Decided<Result>>;
  /** Why it is refused for good, of what was decided and will not be committed. */
  refused(why: "over" | "paused"): RingmasterError;
  /**
   * Of what was decided under this epoch and not committed: whether the hot state is asked again before it is rebuilt, which is of use
   * where another node may have rebuilt it meanwhile, and safe where asking twice decides once. Not unless given.
   */
  isAskedAgain?(epoch: number, result: CommitResult): Promise<boolean>;
}

/** What an event's actor says to whoever is to load the hot state, and what it is told while that takes. */
export interface LoadingActor<Grant> {
  /** Raises the epoch, so that nothing that was decided before can be committed any more; `wait` while somebody else loads. */
  rebuild(): Promise<Grant | { wait: true }>;
  /** The load of this epoch goes on; false when the epoch is over. */
  loading(epoch: number): Promise<boolean>;
}

/** The hot state of events of one kind, such as the ledgers of hunts. */
export interface HotState<Event, Grant> {
  /** What an event of this kind is called, and what its hot state is. */
  names: { event: string; state: string };
  actor(event: Event, options?: { deadlineMs: number }): LoadingActor<Grant>;
  /** Loads from what is committed, no further than until `signal` is aborted; false when a later load has overtaken this one. */
  load(event: Event, grant: Grant, signal: AbortSignal): Promise<boolean>;
  /** Whether anything is decided in the event still, by its row. */
  isOn(event: Event): Promise<boolean>;
  drop(event: Event): Promise<void>;
  /** It is there again: logs that, and tells whoever waits for it. */
  loaded(event: Event, grant: Grant): void;
}

export interface DecisionCommitterPorts<Event, Grant> {
  hotState: HotState<Event, Grant>;
  clock: Clock;
}

/**
 * Carries decisions about events through: has hot state decide, commits what it has decided before anybody hears of it, and rebuilds hot
 * state that is lost, or older than what was acknowledged.
 *
 *     decide ─ missing ──────────────────────────► rebuild ─► decide …
 *        └── decided ─► commit ─ stale, contradicted ─┘
 *                          ├─ over, paused ─► refused
 *                          └─ committed ────► the result
 */
export class DecisionCommitter<Event extends { readonly id: string }, Grant extends { epoch: number }> {
  readonly #ports: DecisionCommitterPorts<Event, Grant>;
  readonly #rebuilds: Rebuilds;

  constructor(ports: DecisionCommitterPorts<Event, Grant>) {
    this.#ports = ports;
    this.#rebuilds = new Rebuilds(ports.clock);
  }

  /**
   * Resolves with what was decided, once that is committed. Rejects with what the decision throws and refuses with, and with `unavailable`
   * when the hot state has not come back for `deadlineMs`, or when it may have been committed.
   */
  async carryOut<Result>(
    event: Event,
    decision: Decision<Result>,
    deadlineMs: number = DECISION_DEADLINE_MS,
  ): Promise<Result> {
    const deadline = new RetryDeadline(this.#ports.clock, deadlineMs);
    while (!deadline.isOver) {
      decision.require();
      const decided = await decision.decide();
      if (decided.kind === "final") return decided.result;
      if (decided.kind === "decided") {
        const result = await decided.commit();
        if (result === "committed") return decided.result;
        if (result === "over" || result === "paused") throw decision.refused(result);
        if (await decision.isAskedAgain?.(decided.epoch, result)) continue;
      }
      await this.rebuild(event, deadline);
    }
    const { names } = this.#ports.hotState;
    throw new RingmasterError(
      "unavailable",
      `The ${names.event}'s ${names.state} is being rebuilt; try again in a moment.`,
    );
  }

  /** Loads the hot state under a new epoch; false after a moment's wait while somebody else is loading it. */
  rebuild(event: Event, deadline: RetryDeadline): Promise<boolean> {
    const { hotState } = this.#ports;
    return this.#rebuilds.once(event.id, deadline, {
      ask: () => hotState.actor(event).rebuild(),
      renew: (epoch) => hotState.actor(event, RENEWAL).loading(epoch),
      load: (grant, signal) => this.#load(event, grant, signal),
    });
  }

  async #load(event: Event, grant: Grant, signal: AbortSignal): Promise<void> {
    const { hotState } = this.#ports;
    if (!(await hotState.load(event, grant, signal))) return;
    // It ended during the load: whoever drops its hot state may have been here before.
    if (!(await hotState.isOn(event))) return hotState.drop(event);
    hotState.loaded(event, grant);
  }
}
