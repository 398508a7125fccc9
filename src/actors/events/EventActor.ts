import {
  type Cancellation,
  type EventChangeKind,
  type EventDomain,
  type Intervention,
  noteEventChange,
} from "../../entities/events/EventChange.ts";
import { type EventStatus, eventStatus } from "../../entities/events/EventStatus.ts";
import { beginPause, endPause, isPaused, type Pausing, pausedError } from "../../entities/events/Pausing.ts";
import { isHeld, type Review, type ReviewReport, reviewReport, reviewStatus } from "../../entities/events/Review.ts";
import { RingmasterError } from "../../errors.ts";
import { Actor, type ActorContext } from "../runtime/Actor.ts";
import type { Log } from "../runtime/ports.ts";

/** What the actor of an event keeps of where it stands. */
export interface EventState<Phase extends string = string> {
  phase: Phase;
  /** Epoch milliseconds; 0 for a phase that does not end by itself. */
  phaseEndsAt: number;
  /** Absent until it is paused for the first time. */
  pausing?: Pausing;
  /** Absent while the result is to be paid without a review. */
  review?: Review;
  /** Of one that is cancelled, where its operator said why. */
  cancelReason?: string;
}

/** What the actor of an event needs beside its turns. */
export interface EventPorts {
  log: Log;
  /** A result has been held for a day, or for an hour more: for the metrics. */
  reviewOverdue(): void;
}

/** What the news of a phase tells of any event beside phase and times: only what there is to tell. */
export interface EventNews {
  /** Of an event that was corrected: of which definition this is said. */
  revision?: number;
  /** Of an event that was paused at some time. */
  pausing?: Pausing;
  /** Since when its result is held for review. */
  reviewSince?: number | undefined;
  /** Of one that is cancelled, where its operator said why. */
  cancelReason?: string | undefined;
}

/** For how long an event is paused at most, and why. */
export interface PauseOrder extends Intervention {
  ms: number;
}

interface StatusColumns {
  pauses?: number;
  pausing?: Pausing;
  reviewSince: number | null;
  cancelReason?: string;
}

/** A held result counts as forgotten after this, and once more each hour. */
const REVIEW_OVERDUE_MS = 24 * 3_600_000;
const REVIEW_OVERDUE_AGAIN_MS = 3_600_000;

/** What operators do to hunts and tournaments alike. */
export abstract class EventActor<State extends EventState, Status> extends Actor<State> {
  /** What it is called, and the phases in which it can be paused. */
  protected abstract readonly event: { domain: EventDomain; noun: string; running: readonly string[] };
  /** Enters a phase, or the same one with another end, and tells everybody. */
  protected abstract enter(phase: State["phase"], phaseEndsAt: number): Promise<void>;
  protected abstract statusNow(): Status;
  /** Moves the end of the running phase, and what follows, in the plan. */
  protected abstract moveEnd(ms: number): void;
  /** Throws `wrong_phase` once something has been paid, or nothing will be. */
  protected abstract requireUnpaid(): void;
  /** Goes on with a result that was held, which nothing keeps from being paid any more. */
  protected abstract goOnPaying(): Promise<void>;

  readonly #ports: EventPorts;

  constructor(context: ActorContext, ports: EventPorts) {
    super(context);
    this.#ports = ports;
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
      throw new RingmasterError("conflict", `The ${this.event.noun} ${this.id} is not paused.`);
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

  /**
   * Has the result, once it is known, held until an operator releases it. Throws `wrong_phase` once something has been paid, `conflict` when it
   * is to be held already.
   */
  async hold(why: Intervention): Promise<Status> {
    this.requireUnpaid();
    if (this.state.review)
      throw new RingmasterError(
        "conflict",
        `The result of the ${this.event.noun} ${this.id} is to be reviewed already.`,
      );
    this.state.review = { by: "operator" };
    await this.note("hold", why);
    return this.statusNow();
  }

  /** The result is paid: now where it is held, else as soon as it is known. Throws `conflict` when no review is to take place. */
  async release(why: Intervention): Promise<Status> {
    this.requireUnpaid();
    const { review } = this.state;
    if (!review)
      throw new RingmasterError("conflict", `The result of the ${this.event.noun} ${this.id} is not to be reviewed.`);
    this.endReview();
    await this.note("release", why);
    if (isHeld(review)) await this.goOnPaying();
    return this.statusNow();
  }

  /** Whether the result is to be reviewed, and since when it is held. */
  async review(): Promise<ReviewReport> {
    this.statusNow();
    return reviewReport(this.state.review);
  }

  /** A definition says whether the result is to be reviewed. What an operator has ordered stays. */
  protected orderReview(isWanted: boolean | undefined): void {
    const { state } = this;
    if (state.review?.by === "operator") return;
    if (isWanted) state.review = { by: "definition" };
    else delete state.review;
  }

  /** The result is known, and is to be reviewed: nothing happens until an operator releases it or cancels the event. */
  protected async holdResult(review: Review, resultHash: string): Promise<void> {
    this.state.review = { ...review, since: this.now, resultHash };
    this.at("review", this.now + REVIEW_OVERDUE_MS);
    await this.enter(this.state.phase, this.state.phaseEndsAt);
  }

  /** No review takes place any more. */
  protected endReview(): void {
    delete this.state.review;
    this.cancelTimer("review");
  }

  /** A result has been held for a day, or for an hour more. */
  protected async remindOfReview(): Promise<void> {
    const { review } = this.state;
    if (!isHeld(review)) return;
    const { log, reviewOverdue } = this.#ports;
    const named = { [this.event.noun]: this.id, heldSince: review.since };
    this.at("review", this.now + REVIEW_OVERDUE_AGAIN_MS);
    this.afterCommit(() => {
      reviewOverdue();
      log.warn(named, "a result waits for its review, and nothing of it is paid");
    });
  }

  /** It is cancelled: nothing is paused or reviewed any more. Nobody need say why. */
  protected async endByCancelling(why: Cancellation | undefined): Promise<void> {
    this.endPause();
    this.endReview();
    if (why?.reason === undefined) return;
    this.state.cancelReason = why.reason;
    await this.note("cancel", { operatorId: why.operatorId, reason: why.reason });
  }

  /** What stands of pauses, review and cancelling in the event's row. */
  protected get statusColumns(): StatusColumns {
    const { pausing, review, cancelReason } = this.state;
    return {
      ...(pausing && { pauses: pausing.count, pausing }),
      reviewSince: review?.since ?? null,
      ...(cancelReason !== undefined && { cancelReason }),
    };
  }

  /** What everybody is told of them. */
  protected get eventStatus(): EventStatus {
    const { pausing, review, cancelReason } = this.state;
    return eventStatus({ pausing, reviewSince: review?.since, cancelReason });
  }

  /** What rooms are told of them. `revision`: that of the definition, if it was ever corrected. */
  protected newsOf(revision: number | undefined): EventNews {
    const { pausing, review, cancelReason } = this.state;
    return {
      ...(revision !== undefined && { revision }),
      ...(pausing && { pausing }),
      ...reviewStatus(review?.since),
      ...(cancelReason !== undefined && { cancelReason }),
    };
  }

  /** What the audit does not have: a node of the version before asks for it without a line. */
  protected async note(kind: EventChangeKind, { operatorId, reason }: Intervention): Promise<void> {
    if (this.isAudited) return;
    const named = { domain: this.event.domain, eventId: this.id, id: this.rng.id(12) };
    await noteEventChange(await this.sql(), named, { kind, operatorId, reason, changedAt: this.now });
  }

  /** The running phase, which must be one of these. Throws `wrong_phase`. */
  protected require<P extends State["phase"]>(...phases: readonly P[]): P {
    const { phase, phaseEndsAt } = this.state;
    if (phases.includes(phase as P)) return phase as P;
    const { noun } = this.event;
    throw new RingmasterError("wrong_phase", `The ${noun} is ${phase}; this needs ${phases.join(" or ")}.`, {
      phase,
      changesAt: phaseEndsAt === 0 ? null : phaseEndsAt,
    });
  }
}
