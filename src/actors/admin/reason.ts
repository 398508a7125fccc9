import { lineOfText } from "../../text.ts";

/** Characters of a reason as a person counts them, and UTF-16 units as the columns hold them. */
const LONGEST_REASON = 200;
const REASON_UNITS = 800;

/** Why an operator does something. */
export const reason = lineOfText(LONGEST_REASON, REASON_UNITS);
