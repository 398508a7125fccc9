import { systemClock } from "../clock.ts";
import { DatabaseProbe, mysqlQuestion } from "../entities/DatabaseProbe.ts";
import { openDatabase } from "../entities/database.ts";
import type { Database } from "../entities/sql.ts";
import type { Parts } from "./Parts.ts";

/** The database, migrated; `/readyz` tells from now on whether it is in reach. */
export async function startDatabase({
  config,
  lifecycle,
  log,
  readiness,
}: Pick<Parts, "config" | "lifecycle" | "log" | "readiness">): Promise<Database> {
  const database = await openDatabase(config.database);
  lifecycle.onStop("database", () => database.close());
  lifecycle.up("database");
  // The embedded one is in this very process.
  if (config.database.kind === "sqlite") return database;
  const probe = new DatabaseProbe(mysqlQuestion(config.database.url), {
    clock: systemClock,
    told: (isThere) => {
      if (isThere) {
        log.info("the database is back");
        readiness.up("database");
      } else {
        log.warn("the database is out of reach");
        readiness.down("database", "MySQL is out of reach");
      }
    },
  });
  probe.start();
  lifecycle.onStop("database probe", () => probe.stop());
  return database;
}
