import { systemClock, systemRng } from "../clock.ts";
import { DatabaseProbe, mysqlQuestion, type Reach } from "../entities/DatabaseProbe.ts";
import { openDatabase, type Schema } from "../entities/database.ts";
import { refusesWrites } from "../entities/failures.ts";
import type { Database } from "../entities/sql.ts";
import { TracedDatabase } from "../entities/TracedDatabase.ts";
import { isTracing } from "../tracing.ts";
import type { Parts } from "./Parts.ts";
import { assertNoNodes } from "./runningNodes.ts";

/** For how long a write that was refused to anybody on this node speaks against the database, in milliseconds. */
const REFUSED_FOR_MS = 1000;

/** The database, migrated, and who asks it whether it commits, which `/readyz` tells from now on; the embedded one is in this very process. */
export async function startDatabase(
  parts: Pick<Parts, "config" | "lifecycle" | "log" | "readiness">,
  schema: Schema,
): Promise<{ database: Database; databaseProbe: DatabaseProbe | undefined }> {
  const { config, lifecycle } = parts;
  const { redisUrl, nodeTtlMs } = config;
  const opened = await openDatabase(config.database, schema, async (reasons) => {
    if (redisUrl !== undefined) await assertNoNodes(redisUrl, nodeTtlMs, reasons);
  });
  const database = isTracing() ? new TracedDatabase(opened) : opened;
  lifecycle.onStop("database", () => database.close());
  if (config.database.kind === "sqlite") return { database, databaseProbe: undefined };
  const question = mysqlQuestion(config.database.url, {
    clock: systemClock,
    rng: systemRng,
    refusal: () => database.refusedWithin(REFUSED_FOR_MS),
  });
  const databaseProbe = new DatabaseProbe(question, { clock: systemClock, gaveUp: () => database.distrust() });
  databaseProbe.watch(teller(parts));
  databaseProbe.start();
  lifecycle.onStop("database probe", () => databaseProbe.stop());
  return { database, databaseProbe };
}

/** Has `/readyz` and the log say how the database stands, the log once for each reason. */
function teller({ log, readiness }: Pick<Parts, "log" | "readiness">): (reach: Reach, why: unknown) => void {
  let last: string | undefined;
  return (reach, why) => {
    const refuses = refusesWrites(why);
    const reason = reach === "works" ? undefined : refuses ? "MySQL takes no writes" : "MySQL is out of reach";
    if (reason === undefined) {
      log.info("the database is back");
      readiness.up("database");
    } else {
      if (reason !== last && refuses) log.warn({ err: why }, "the database takes no writes");
      if (reason !== last && !refuses) log.warn({ err: why }, "the database is out of reach");
      readiness.down("database", reason);
    }
    last = reason;
  };
}
