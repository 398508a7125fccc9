import { defineErrors } from "../../errors.ts";

/** What is said of inventories alone. */
export const PRIZE_ERRORS = defineErrors({
  inventory_full: { status: 409, message: "The player would hold more of this item than an inventory can." },
});
