import { LARGEST_SCORE } from "../../entities/tournaments/precision.ts";
import { RingmasterError } from "../../errors.ts";
import { REQUEST_ID } from "../../ids.ts";
import { assertPlayer, assertTime } from "../runtime/inputs.ts";
import type { Submission } from "./Leaderboard.ts";
import { LARGEST_SUBSCORE } from "./scoring.ts";

/**
 * The submission as it is decided on: with 0 for -0, which no two of Redis, MySQL and JSON treat alike.
 * Throws `invalid_payload` for one that no row could hold or no board could sort.
 */
export function checkedSubmission(submission: Submission): Submission {
  const { playerId, playerName, submissionId, score, subscore, now } = submission;
  assertPlayer(playerId, playerName);
  assertTime(now);
  if (!REQUEST_ID.test(submissionId)) {
    throw new RingmasterError("invalid_payload", "A submissionId is 1 to 64 printable ASCII characters, no spaces.");
  }
  if (!Number.isInteger(score) || Math.abs(score) > LARGEST_SCORE) {
    throw new RingmasterError(
      "invalid_payload",
      `A score is a whole number of at most ${LARGEST_SCORE} units either way.`,
    );
  }
  if (!Number.isInteger(subscore) || Math.abs(subscore) > LARGEST_SUBSCORE) {
    throw new RingmasterError(
      "invalid_payload",
      `A subscore is a whole number of at most ${LARGEST_SUBSCORE} either way.`,
    );
  }
  return { ...submission, score: score + 0, subscore: subscore + 0 };
}

/** Throws a RangeError: what a client may ask for is the caller's to bound. */
export function assertRange(offset: number, limit: number): void {
  const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
  if (!isCount(offset) || !isCount(limit)) throw new RangeError(`no rows ${offset} and ${limit} more`);
}
