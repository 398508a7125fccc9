import { defineErrors } from "../../errors.ts";

/** What is said of hunts alone. */
export const HUNT_ERRORS = defineErrors({
  unknown_assignment: { status: 409, message: "This assignment is not open for you: solved, expired or never given." },
});
