import type { Imbalance, PrizeLedger } from "../../entities/prizes/PrizeLedger.ts";
import { defineJob, type Job } from "../runtime/defineJob.ts";

const TIMEOUT_MS = 30 * 60_000;
/** Imbalances named in an error, and refused awards in a result; one is one too many. */
const NAMED = 10;

/**
 * Looks every night whether each inventory is the sum of its awards. A run that finds one which is not fails, and says which. Awards that were
 * refused, since their player's inventory is full, are in its result.
 */
export function prizeCheckJob(ledger: Pick<PrizeLedger, "imbalances" | "refused">): Job {
  return defineJob({
    name: "prize-check",
    schedule: { cron: "30 3 * * *" },
    timeoutMs: TIMEOUT_MS,
    retries: 0,
    run: async ({ signal }) => {
      const found = await ledger.imbalances(NAMED, signal);
      if (found.length > 0) throw new Error(`inventories differ from their awards: ${found.map(describe).join("; ")}`);
      const refused = await ledger.refused(NAMED);
      return refused.length === 0 ? { imbalances: 0 } : { imbalances: 0, refused };
    },
  });
}

function describe({ playerId, item, awarded, held }: Imbalance): string {
  return `${playerId} holds ${held} ${item}, and was awarded ${awarded}`;
}
