import { RingmasterError } from "../../errors.ts";

/** UTF-16 units of a player's id and name: no more than the characters of their columns. */
const MAX_ID_UNITS = 32;
const MAX_NAME_UNITS = 64;

/**
 * Throws `invalid_payload` for a player whom no row could hold: a decision that cannot be committed must not be taken, and
 * text that is not well-formed would fail the whole batch that it is in.
 */
export function assertPlayer(playerId: string, playerName = ""): void {
  const isText = (text: string, units: number): boolean => text.length <= units && text.isWellFormed();
  if (isText(playerId, MAX_ID_UNITS) && isText(playerName, MAX_NAME_UNITS)) return;
  throw new RingmasterError(
    "invalid_payload",
    `A player has a well-formed id of at most ${MAX_ID_UNITS} and a name of at most ${MAX_NAME_UNITS} UTF-16 units.`,
  );
}

/** Throws a RangeError: any other `now` is a bug of ours, and would fail a whole batch half-way through. */
export function assertTime(now: number): void {
  if (!Number.isSafeInteger(now) || now < 0) throw new RangeError(`now must be epoch milliseconds, not ${now}`);
}
