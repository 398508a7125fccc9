import { defineErrors } from "../../errors.ts";

/** What is said of the wallets that quests take. */
export const QUEST_ERRORS = defineErrors({
  no_challenge: { status: 409, message: "No challenge is open: it ran out or was used. Ask for a new one." },
  bad_signature: { status: 403, message: "The signature does not prove that the wallet is yours." },
});
