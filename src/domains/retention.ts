import { systemClock } from "../clock.ts";
import { retentionJob } from "../schedulers/retention/retentionJob.ts";
import { defineDomain } from "./runtime/Domain.ts";

/** Removes what of any domain is of no use any more. */
export const retention = defineDomain({
  name: "retention",
  jobs: ({ all, database }) => [retentionJob({ database, purges: all.retention, clock: systemClock })],
});
