import { defineErrors } from "../../errors.ts";

/** What is said of scores alone. */
export const TOURNAMENT_ERRORS = defineErrors({
  score_refused: { status: 422, message: "The score is not one that this game can have, or it could not be verified." },
  run_refused: {
    status: 422,
    message: "The score must come of a run that you have begun in this tournament, and each run counts once.",
  },
  entries_used_up: {
    status: 409,
    message: "No further entry is taken: the player's, or the tournament's, are used up.",
  },
});
