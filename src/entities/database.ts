import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { Pool } from "mysql2";
import { DataSource, type DataSourceOptions, type EntitySchema, type MigrationInterface } from "typeorm";
import { ConfigError, type DatabaseConfig } from "../config.ts";
import { EMBEDDED_MICROS, processMicros } from "./databaseTime.ts";
import { CONNECTION, SQL_MODE } from "./MysqlConnection.ts";
import { MysqlServer } from "./MysqlDatabase.ts";
import { whatBreaks } from "./migrations/breaks.ts";
import { SqliteDatabase } from "./SqliteDatabase.ts";
import type { Database } from "./sql.ts";

/** Several nodes may start at once: one migrates, the others wait this long for it. */
const MIGRATION_LOCK_SECONDS = 60;

/** The tables, and what of them TypeORM maps. */
export interface Schema {
  entities: readonly EntitySchema[];
  /** They run by the dates at the end of their names. */
  migrations: ReadonlyArray<new () => MigrationInterface>;
}

/**
 * Opens the database and runs every pending migration; nothing may listen before this resolves. `beforeBreaking` is asked before one
 * that nodes of the version before cannot live beside, with what they would do wrong; what it throws keeps all of them from running.
 * Rejects with a ConfigError when the database cannot be reached or opened.
 */
export async function openDatabase(
  config: DatabaseConfig,
  schema: Schema,
  beforeBreaking: BeforeBreaking = alone,
): Promise<Database> {
  return config.kind === "mysql" ? openMysql(config, schema, beforeBreaking) : openSqlite(config.path, schema);
}

type BeforeBreaking = (reasons: readonly string[]) => Promise<void>;

const alone: BeforeBreaking = async () => {};

async function openMysql(
  config: { url: string; pool: number },
  schema: Schema,
  beforeBreaking: BeforeBreaking,
): Promise<Database> {
  const source = new DataSource({
    type: "mysql",
    url: config.url,
    // For migrations: one holds their lock, one runs them. Afterwards TypeORM only builds statements.
    poolSize: 2,
    ...CONNECTION,
    ...optionsOf(schema),
    extra: { maxIdle: 0, idleTimeout: 1000 },
  } as DataSourceOptions);
  await opening(() => source.initialize());
  const { pool } = source.driver as unknown as { pool: Pool };
  pool.on("connection", (connection) => connection.query(`SET SESSION sql_mode = '${SQL_MODE}'`, () => {}));
  await migrateUnderLock(source, beforeBreaking);
  return new MysqlServer(source, { uri: config.url }, config.pool).of("reports");
}

function optionsOf({ entities, migrations }: Schema): Pick<DataSourceOptions, "entities" | "migrations"> {
  return { entities: [...entities], migrations: [...migrations] };
}

async function opening(step: () => unknown): Promise<void> {
  try {
    await step();
  } catch (error) {
    const { message, code } = error as Error & { code?: string };
    throw new ConfigError(`DATABASE_URL: the database cannot be opened (${message || code})`, { cause: error });
  }
}

async function migrateUnderLock(source: DataSource, beforeBreaking: BeforeBreaking): Promise<void> {
  const runner = source.createQueryRunner();
  try {
    const [row] = await runner.query("SELECT GET_LOCK('ringmaster.migrations', ?) AS got", [MIGRATION_LOCK_SECONDS]);
    if (Number(row?.got) !== 1) throw new Error("another node has been migrating the database for over a minute");
    const reasons = await whatBreaks(source.migrations, runner);
    if (reasons.length > 0) await beforeBreaking(reasons);
    await source.runMigrations({ transaction: "each" });
  } finally {
    await runner.query("DO RELEASE_LOCK('ringmaster.migrations')").catch(() => {});
    await runner.release();
  }
}

/** Opens an SQLite file, or `:memory:`, as `openDatabase` does. `prepare` is given the connection before anything else is done with it. */
export async function openSqlite(
  path: string,
  schema: Schema,
  prepare: (opened: { exec(sql: string): unknown }) => void = () => {},
): Promise<Database> {
  if (path !== ":memory:") await opening(() => mkdirSync(dirname(path), { recursive: true }));
  const source = new DataSource({
    type: "better-sqlite3",
    database: path,
    ...optionsOf(schema),
    enableWAL: path !== ":memory:",
    prepareDatabase: (opened: { exec(sql: string): unknown; function(name: string, answer: () => number): void }) => {
      opened.function(EMBEDDED_MICROS, processMicros);
      prepare(opened);
    },
  });
  await opening(() => source.initialize());
  // FULL keeps "acknowledged is durable" true through a power cut, as InnoDB's default does.
  await source.query("PRAGMA synchronous = FULL");
  await source.runMigrations({ transaction: "each" });
  return new SqliteDatabase(source);
}
