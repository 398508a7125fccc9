import { readdirSync } from "node:fs";
import type { DatabaseConfig } from "../../src/config.ts";
import { openDatabase as open, type Schema } from "../../src/entities/database.ts";
import { Hunt } from "../../src/entities/hunts/Hunt.ts";
import { Player } from "../../src/entities/players/Player.ts";
import type { Database } from "../../src/entities/sql.ts";
import { Tournament } from "../../src/entities/tournaments/Tournament.ts";

const FOLDER = new URL("../../src/entities/migrations/", import.meta.url);

/** Every migration that there is, by date. `test/app/domains.test.ts` holds that the domains list the same. */
export const MIGRATIONS: Schema["migrations"] = (
  await Promise.all(
    readdirSync(FOLDER)
      .filter((file) => /^\d{14}-/.test(file))
      .sort()
      .map(async (file) => Object.values((await import(new URL(file, FOLDER).href)) as object)),
  )
)
  .flat()
  .filter((exported) => /\d{14}$/.test((exported as { name?: string }).name ?? ""));

/** The tables of all domains, without the domains: what tests of a part need, which loads faster than the app. */
export const SCHEMA: Schema = { entities: [Hunt, Player, Tournament] as Schema["entities"], migrations: MIGRATIONS };

/** Opens a database that has them. */
export function openDatabase(config: DatabaseConfig, beforeBreaking?: Parameters<typeof open>[2]): Promise<Database> {
  return open(config, SCHEMA, beforeBreaking);
}
