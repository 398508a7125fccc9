import { CommitUnknown, failureOf, mayBeItsOwnDoing } from "../../entities/failures.ts";
import { RingmasterError, toRingmasterError } from "../../errors.ts";
import { Fenced } from "./ActorStore.ts";
import { MarkMoved } from "./MarkTable.ts";
import type { CallOutcome } from "./protocol.ts";
import { copyOf } from "./values.ts";

/** What it means that a turn threw. */
export interface TurnFailure {
  /** For its caller. */
  outcome: CallOutcome;
  /** The activation's memory can no longer be trusted. */
  isLost: boolean;
  /** Nobody knows whether it was stored. */
  mayBeStored: boolean;
  /** What is worth a line in the log. */
  why: "database" | "fault" | undefined;
}

export function failed(error: RingmasterError): CallOutcome & { kind: "error" } {
  return { kind: "error", error: error.toWire() };
}

/** `hasBegun`: it is not that the turn could not be begun. */
export function failureOfTurn(error: unknown, hasBegun: boolean): TurnFailure {
  const known = { isLost: false, mayBeStored: false, why: undefined };
  if (error instanceof Fenced) return { ...known, outcome: { kind: "moved" }, isLost: true };
  if (error instanceof CommitUnknown) {
    const outcome = { ...failed(new RingmasterError("outcome_unknown")), isGivenUp: true };
    return { ...known, outcome, isLost: true, mayBeStored: true };
  }
  if (error instanceof MarkMoved) return { ...known, outcome: failed(new RingmasterError("not_delivered")) };
  if (error instanceof RingmasterError) return { ...known, outcome: { ...failed(crossing(error)), isOwn: true } };
  if (failureOf(error) !== "fault") {
    // The transaction was never sent or was rolled back with its connection: nothing happened.
    const isGivenUp = hasBegun && mayBeItsOwnDoing(error);
    return { ...known, outcome: { ...failed(notStored(error)), isGivenUp }, why: "database" };
  }
  return { ...known, outcome: { ...failed(toRingmasterError(error)), isOwn: true }, why: "fault" };
}

/** The error as its caller may have it: what it tells in detail may be a part of the actor's state. */
function crossing(error: RingmasterError): RingmasterError {
  if (error.details === undefined) return error;
  try {
    const details = copyOf(error.details, () => `the details of ${error.code}`);
    return new RingmasterError(error.code, error.message, details, { cause: error });
  } catch (uncopied) {
    return toRingmasterError(uncopied);
  }
}

function notStored(error: unknown): RingmasterError {
  const code = (error as { code?: unknown }).code ?? "no answer";
  return new RingmasterError(
    "not_delivered",
    `The database did not do it (${code}); nothing happened, and it is safe to repeat.`,
  );
}
