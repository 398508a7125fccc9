import { type PausedStatus, type Pausing, pausedStatus } from "./Pausing.ts";
import { type ReviewStatus, reviewStatus } from "./Review.ts";

/** What clients and operators are told of any event beside its phase and its times: only what there is to tell. */
export interface EventStatus extends PausedStatus, ReviewStatus {
  /** Why it was cancelled, where its operator said. */
  cancelReason?: string | undefined;
}

/** What of an event that follows from. */
export interface EventCircumstances {
  pausing?: Pausing | null | undefined;
  reviewSince?: number | null | undefined;
  cancelReason?: string | null | undefined;
}

export function eventStatus({ pausing, reviewSince, cancelReason }: EventCircumstances): EventStatus {
  return { ...pausedStatus(pausing), ...reviewStatus(reviewSince), ...(cancelReason != null && { cancelReason }) };
}

/** A row of an event with what is told of it in place of that from which it follows. */
export function withStatus<R extends EventCircumstances>({
  pausing,
  reviewSince,
  cancelReason,
  ...row
}: R): Omit<R, keyof EventCircumstances> & EventStatus {
  return { ...row, ...eventStatus({ pausing, reviewSince, cancelReason }) };
}

/** Columns of a list of events. */
export const STATUS_COLUMNS = "pausing, review_since, cancel_reason";

/** The same as a list reads them. */
export interface StatusRow {
  pausing: string | null;
  review_since: unknown;
  cancel_reason: string | null;
}

export function statusOfRow({ pausing, review_since, cancel_reason }: StatusRow): EventStatus {
  return eventStatus({
    pausing: pausing === null ? null : JSON.parse(pausing),
    reviewSince: review_since === null ? null : Number(review_since),
    cancelReason: cancel_reason,
  });
}

/** That part of what is told of an event, to hand it on. */
export function statusPart({ pausedAt, resumesAt, reviewSince, cancelReason }: EventStatus): EventStatus {
  return {
    ...(pausedAt !== undefined && { pausedAt, resumesAt: resumesAt! }),
    ...reviewStatus(reviewSince),
    ...(cancelReason !== undefined && { cancelReason }),
  };
}
