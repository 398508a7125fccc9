import type { Cancellation, Intervention } from "../../entities/events/EventChange.ts";
import { beginPause, endPause, isPaused, pausedError } from "../../entities/events/Pausing.ts";
import type { PrizeRange } from "../../entities/prizes/PrizeLedger.ts";
import type { Transaction } from "../../entities/sql.ts";
import { RingmasterError } from "../../errors.ts";
import { assertPayable } from "../prizes/payable.ts";
import type { EventState } from "./EventCore.ts";
import type { PhasedStatus } from "./PhasedActor.ts";
import { ReviewedEvent } from "./ReviewedEvent.ts";

/** For how long an event is paused at most, and why. */
export interface PauseOrder extends Intervention {
  ms: number;
}

/** What of every definition is looked at when it is taken. */
interface EventDefinition {
  startsAt: number;
  prizes: readonly PrizeRange[];
  review?: boolean | undefined;
}

/** What operators do to hunts and tournaments alike. */
export abstract class EventActor<State extends EventState, Status extends PhasedStatus> extends ReviewedEvent<
  State,
  Status
> {
  /** Leaves a phase, whose timer has come or which an operator ends. */
  protected abstract advance(phase: State["phase"]): Promise<Status>;
  /** Moves the end of the running phase, and what follows, in the plan. */
  protected abstract moveEnd(ms: number): void;
  /** Makes a phase longer, or what follows one that is scheduled, in the plan alone. */
  protected abstract lengthen(phase: State["phase"], ms: number): void;
  /** Moves the start, and all that follows, in the plan alone. */
  protected abstract moveStart(ms: number): void;

  /** Ends the scheduled phase now. */
  async start(): Promise<Status> {
    return this.advance(this.require("scheduled"));
  }

  /** Ends the running phase now. */
  async end(): Promise<Status> {
    const phase = this.require(...this.event.endable);
    this.endPause();
    return this.advance(phase);
  }

  /** Moves the end of the running phase, or of what follows one that is scheduled, and all that comes after, by `ms` milliseconds. */
  async extend(ms: number): Promise<Status> {
    const phase = this.require<State["phase"]>("scheduled", ...this.event.endable);
    this.lengthen(phase, ms);
    await this.enter(phase, phase === "scheduled" ? this.state.phaseEndsAt : this.state.phaseEndsAt + ms);
    return this.statusNow();
  }

  /** Moves the start of one that is scheduled, and all that follows, by `ms` milliseconds. */
  async postpone(ms: number): Promise<Status> {
    const phase = this.require("scheduled");
    this.moveStart(ms);
    await this.enter(phase, this.state.phaseEndsAt + ms);
    return this.statusNow();
  }

  /** The event is created, once its definition is kept. Throws what `assertPayable` does for prizes that could not be paid. */
  protected async schedule(
    { startsAt, prizes, review }: EventDefinition,
    insert: (tx: Transaction) => Promise<void>,
  ): Promise<void> {
    this.orderReview(review);
    this.begin("scheduled", startsAt);
    const tx = await this.sql();
    await assertPayable(tx, prizes);
    await insert(tx);
  }

  /** The definition is another one, once it is kept; `change` is what else changes in the event's row. Throws what `schedule` does. */
  protected async reschedule(
    { startsAt, prizes, review }: EventDefinition,
    why: Intervention,
    change: object,
  ): Promise<Status> {
    this.orderReview(review);
    await assertPayable(await this.sql(), prizes);
    await this.note("correct", why);
    await this.enter("scheduled", startsAt, change);
    return this.statusNow();
  }

  /**
   * Nothing is taken or given any more until it is resumed, and its time stands still. Throws `wrong_phase` unless it is running, `paused`
   * when it is paused.
   */
  async pause({ ms, ...why }: PauseOrder): Promise<Status> {
    const phase = this.require(...this.event.running);
    if (isPaused(this.state.pausing)) throw pausedError(this.state.pausing);
    this.cancelTimer(phase);
    const resumesAt = this.now + ms;
    this.state.pausing = beginPause(this.state.pausing, this.now, resumesAt);
    this.at("resume", resumesAt);
    await this.note("pause", why);
    await this.enter(phase, this.state.phaseEndsAt);
    return this.statusNow();
  }

  /** Goes on with a paused one: what was still to come comes later by as long as it was paused. Throws `conflict` when it is not paused. */
  async resume(why: Intervention): Promise<Status> {
    this.require(...this.event.running);
    if (!isPaused(this.state.pausing))
      throw new RingmasterError("conflict", `The ${this.noun} ${this.id} is not paused.`);
    await this.note("resume", why);
    await this.goOn();
    return this.statusNow();
  }

  /** The end of the pause, by an operator or by itself. */
  protected async goOn(): Promise<void> {
    if (!isPaused(this.state.pausing)) return;
    this.endPause();
    await this.enter(this.state.phase, this.state.phaseEndsAt);
  }

  /** The pause is over, since something else follows it in this turn. */
  protected endPause(): void {
    const { state } = this;
    if (!isPaused(state.pausing)) return;
    this.cancelTimer("resume");
    const { pausing, ms } = endPause(state.pausing, this.now);
    state.pausing = pausing;
    this.moveEnd(ms);
  }

  /** It is cancelled: nothing is paused or reviewed any more. Nobody need say why. */
  protected async endByCancelling(why: Cancellation | undefined): Promise<void> {
    this.endPause();
    this.endReview();
    if (why?.reason === undefined) return;
    this.state.cancelReason = why.reason;
    await this.note("cancel", { operatorId: why.operatorId, reason: why.reason });
  }
}
