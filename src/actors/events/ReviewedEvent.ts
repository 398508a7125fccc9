import type { Intervention } from "../../entities/events/EventChange.ts";
import { isHeld, type Review, type ReviewReport, reviewReport } from "../../entities/events/Review.ts";
import { RingmasterError } from "../../errors.ts";
import { EventCore, type EventState } from "./EventCore.ts";
import type { PhasedStatus } from "./PhasedActor.ts";

/** A held result counts as forgotten after this, and once more each hour. */
const REVIEW_OVERDUE_MS = 24 * 3_600_000;
const REVIEW_OVERDUE_AGAIN_MS = 3_600_000;

/** An event whose result is held, where the definition or an operator says so, until an operator has reviewed it. */
export abstract class ReviewedEvent<State extends EventState, Status extends PhasedStatus> extends EventCore<
  State,
  Status
> {
  /** Throws `wrong_phase` once something has been paid, or nothing will be. */
  protected abstract requireUnpaid(): void;
  /** Goes on with a result that was held, which nothing keeps from being paid any more. */
  protected abstract goOnPaying(): Promise<void>;

  /**
   * Has the result, once it is known, held until an operator releases it. Throws `wrong_phase` once something has been paid, `conflict` when it
   * is to be held already.
   */
  async hold(why: Intervention): Promise<Status> {
    this.requireUnpaid();
    if (this.state.review)
      throw new RingmasterError("conflict", `The result of the ${this.noun} ${this.id} is to be reviewed already.`);
    this.state.review = { by: "operator" };
    await this.note("hold", why);
    return this.statusNow();
  }

  /** The result is paid: now where it is held, else as soon as it is known. Throws `conflict` when no review is to take place. */
  async release(why: Intervention): Promise<Status> {
    this.requireUnpaid();
    const { review } = this.state;
    if (!review)
      throw new RingmasterError("conflict", `The result of the ${this.noun} ${this.id} is not to be reviewed.`);
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
    const { log, reviewOverdue } = this.ports;
    const named = { [this.noun]: this.id, heldSince: review.since };
    this.at("review", this.now + REVIEW_OVERDUE_AGAIN_MS);
    this.afterCommit(() => {
      reviewOverdue();
      log.warn(named, "a result waits for its review, and nothing of it is paid");
    });
  }
}
