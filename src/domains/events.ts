import { EVENT_ERRORS } from "../entities/events/errors.ts";
import { EventChanges20261130110000 } from "../entities/migrations/20261130110000-event-changes.ts";
import { Pauses20261130110100 } from "../entities/migrations/20261130110100-pauses.ts";
import { Reviews20261130140100 } from "../entities/migrations/20261130140100-reviews.ts";
import { EventChangeAges20261130150100 } from "../entities/migrations/20261130150100-event-change-ages.ts";
import { byAge } from "../schedulers/retention/purges.ts";
import { defineDomain } from "./runtime/Domain.ts";

/** How long it stays what nodes of the version before noted of what operators did to events, in days: as long as the audit does. */
export const EVENT_CHANGE_DAYS = 400;

/** What events of all domains have in common: what operators did to them, how they stand still, and that their results are held. */
export const events = defineDomain({
  name: "events",
  migrations: [EventChanges20261130110000, Pauses20261130110100, Reviews20261130140100, EventChangeAges20261130150100],
  errors: EVENT_ERRORS,
  retention: [
    byAge({
      name: "eventChanges",
      table: "event_changes",
      key: ["domain", "event_id", "changed_at", "id"],
      age: "changed_at",
      days: EVENT_CHANGE_DAYS,
    }),
  ],
});
