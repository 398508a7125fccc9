import { EventChanges20261130110000 } from "../entities/migrations/20261130110000-event-changes.ts";
import { Pauses20261130110100 } from "../entities/migrations/20261130110100-pauses.ts";
import { defineDomain } from "./runtime/Domain.ts";

/** What events of all domains have in common: what operators did to them, and how they stand still. */
export const events = defineDomain({
  name: "events",
  migrations: [EventChanges20261130110000, Pauses20261130110100],
});
