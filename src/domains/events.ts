import { EventChanges20261130110000 } from "../entities/migrations/20261130110000-event-changes.ts";
import { Pauses20261130110100 } from "../entities/migrations/20261130110100-pauses.ts";
import { Reviews20261130140000 } from "../entities/migrations/20261130140000-reviews.ts";
import { defineDomain } from "./runtime/Domain.ts";

/** What events of all domains have in common: what operators did to them, how they stand still, and that their results are held. */
export const events = defineDomain({
  name: "events",
  migrations: [EventChanges20261130110000, Pauses20261130110100, Reviews20261130140000],
});
