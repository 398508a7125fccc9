import { defineErrors } from "../../errors.ts";

/** What is said of events of any kind. */
export const EVENT_ERRORS = defineErrors({
  paused: { status: 409, message: "The event is paused; nothing is taken before it goes on." },
});
