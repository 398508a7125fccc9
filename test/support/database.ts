import { readdirSync } from "node:fs";
import type { DatabaseConfig } from "../../src/config.ts";
import { openDatabase as open, openSqlite, type Schema } from "../../src/entities/database.ts";
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

/** Opens a database that has them. In memory it is a copy of one that was migrated once: migrations take most of many a test's time. */
export async function openDatabase(
  config: DatabaseConfig,
  beforeBreaking?: Parameters<typeof open>[2],
): Promise<Database> {
  if (config.kind !== "sqlite" || config.path !== ":memory:") return await open(config, SCHEMA, beforeBreaking);
  sqliteTemplate ??= dumpSqlite();
  const template = await sqliteTemplate;
  return await openSqlite(config.path, SCHEMA, (opened) => opened.exec(template));
}

/** Statements that make the tables anew, with what migrations put in. */
let sqliteTemplate: Promise<string> | undefined;

async function dumpSqlite(): Promise<string> {
  const database = await open({ kind: "sqlite", path: ":memory:" }, SCHEMA);
  try {
    const made = await database.query<{ type: string; name: string; sql: string }>(
      "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'",
    );
    const of = (type: string) => made.filter((each) => each.type === type);
    const statements = of("table").map(({ sql }) => sql);
    for (const { name } of of("table"))
      for (const row of await database.query<object>(`SELECT * FROM "${name}"`))
        statements.push(`INSERT INTO "${name}" VALUES (${Object.values(row).map(literal).join(", ")})`);
    return [...statements, ...of("index").map(({ sql }) => sql)].join(";\n");
  } finally {
    await database.close();
  }
}

function literal(value: unknown): string {
  if (typeof value === "string") return `'${value.replaceAll("'", "''")}'`;
  return value === null ? "NULL" : String(value);
}
