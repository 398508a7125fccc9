import { InventoryOperations } from "../actors/prizes/InventoryOperations.ts";
import { systemClock, systemRng } from "../clock.ts";
import { Prizes20261121000300 } from "../entities/migrations/20261121000300-prizes.ts";
import { RefusedAwards20261130050100 } from "../entities/migrations/20261130050100-refused-awards.ts";
import { InventoryChanges20261130050700 } from "../entities/migrations/20261130050700-inventory-changes.ts";
import { PRIZE_ERRORS } from "../entities/prizes/errors.ts";
import { PrizeLedger } from "../entities/prizes/PrizeLedger.ts";
import { myRoutes } from "../http/me.ts";
import { PRIZE_COMMANDS, PRIZE_QUERIES } from "../operations/prizes.ts";
import { prizeCheckJob } from "../schedulers/prizes/prizeCheckJob.ts";
import { defineDomain } from "./runtime/Domain.ts";

/** What players hold, and the ledger by which everything is paid once. */
export const prizes = defineDomain({
  name: "prizes",
  migrations: [Prizes20261121000300, RefusedAwards20261130050100, InventoryChanges20261130050700],
  errors: PRIZE_ERRORS,
  itemSources: ["operator"],
  jobs: ({ database }) => [prizeCheckJob(new PrizeLedger(database, systemRng))],
  open: (node) => {
    const database = node.database.of("commits");
    return {
      ledger: new PrizeLedger(database, systemRng),
      inventories: new InventoryOperations({ database, clock: systemClock, rng: systemRng }),
    };
  },
  routes: ({ ledger }) => ({ "/me": myRoutes(ledger) }),
  commands: PRIZE_COMMANDS,
  queries: PRIZE_QUERIES,
});
