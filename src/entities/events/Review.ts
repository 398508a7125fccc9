/** A review of an event's result: nothing is paid before an operator releases it. */
export interface Review {
  /** Who wants it: the event's definition, or an operator's command. */
  by: "definition" | "operator";
  /** Since when the result is known and held, in epoch milliseconds; absent before. */
  since?: number;
  /** SHA-256 of the held result in hex. */
  resultHash?: string;
}

/** As clients and operators are told of an event whose result is held. */
export interface ReviewStatus {
  reviewSince?: number | undefined;
}

/** What operators read of a review. */
export interface ReviewReport {
  /** Who wants it; `null` when the result is paid without one. */
  orderedBy: Review["by"] | null;
  /** Since when the result is held; `null` while it is not. */
  since: number | null;
  /** SHA-256 of the held result in hex; `null` while none is held. */
  resultHash: string | null;
}

export function isHeld(review: Review | undefined): review is Required<Review> {
  return review?.since !== undefined;
}

/** Nothing is said of an event whose result is not held. */
export function reviewStatus(since: number | null | undefined): ReviewStatus {
  return since == null ? {} : { reviewSince: since };
}

export function reviewReport(review: Review | undefined): ReviewReport {
  return {
    orderedBy: review?.by ?? null,
    since: review?.since ?? null,
    resultHash: review?.resultHash ?? null,
  };
}
